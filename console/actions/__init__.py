"""Actions of the commands, one noun a file; `console.cli` defines the commands themselves."""
