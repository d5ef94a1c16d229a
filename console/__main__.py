"""`python -m console` is `mailrun`."""

from console.main import main

main()
