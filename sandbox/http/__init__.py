"""The simulator's HTTP server: connections, routes, envelopes and the OpenAPI document."""
