"""Errors that AMAD raises on purpose; each message says what is wrong, where, and what to do.

AmadError
├── InputError        a file, series, label or call cannot be used as it is
├── ConfigError       a setting is unknown, out of range, or does not fit another
├── CheckpointError   a run on disk is damaged, incomplete, or of another version
├── JobError          a job could not be started, stopped or finished
└── AccessError       whoever asks may not do this
"""


class AmadError(Exception):
    """Base of every error that AMAD raises on purpose."""


class InputError(AmadError):
    """A file, a series, a label or a call cannot be used as it is."""


class ConfigError(AmadError):
    """A setting is unknown, out of range, or does not fit another."""


class CheckpointError(AmadError):
    """A run on disk is damaged, incomplete, or of another version."""


class JobError(AmadError):
    """A job could not be started, stopped or finished."""


class AccessError(AmadError):
    """Whoever asks may not do this."""
