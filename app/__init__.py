"""The Streamlit face of AMAD: pages, shared parts, the two instruments, and the routes that feed them."""
