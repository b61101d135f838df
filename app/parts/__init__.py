"""What the pages share: the workspace, the current selection, the page frame, text and cached readers."""
