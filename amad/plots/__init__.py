"""Every figure of the app as a function of arrays: arrays in, Plotly or Altair figure out, nothing read or shown."""
