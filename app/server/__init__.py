"""What the browser fetches without a script run: tokens, data routes, module files, security headers, health."""
