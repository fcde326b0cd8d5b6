"""Files that the web application gives away, a file an endpoint."""
