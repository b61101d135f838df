"""What is looked at before the app serves anybody: its limits, its log and its figures; a mistake in them ends it with a sentence."""

from __future__ import annotations

import logging

from amad import limits, logs
from amad.errors import AmadError
from app.server import exposure, metrics


def ready() -> None:
    """Sets up the log and, where asked for, the server of figures. Ends the program with exit code 2 where one cannot be."""
    try:
        limits.check()
        if logs.setup() == logs.JSON:
            adopt()
        metrics.start()
    except AmadError as error:
        exposure.end(str(error))


def adopt() -> None:
    """Has Streamlit and its server write lines of our form too: each gives its loggers a handler and a form of its own."""
    from streamlit import logger
    from uvicorn.config import LOGGING_CONFIG

    theirs = logger.setup_formatter

    def ours(logger: logging.Logger) -> None:
        theirs(logger)
        for handler in logger.handlers:
            handler.setFormatter(logs.formatter())

    logger.setup_formatter = ours
    logger.update_formatter()
    for name in LOGGING_CONFIG["formatters"]:
        LOGGING_CONFIG["formatters"][name] = {"()": logs.JsonLines}
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # where it was set up before this app was loaded
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(logs.formatter())
