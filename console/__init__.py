"""What people use: the command line, the HTTP service, and ``up``, which runs everything on this machine."""
