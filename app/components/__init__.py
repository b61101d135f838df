"""The two instruments, drawn on a canvas by plain ES modules: timeline and maps."""
