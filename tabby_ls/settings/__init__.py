"""The settings: their one definition (`definition.py`), and how what different sources say of them is merged.

Sources, a later one wins:

1. the defaults in the definition
2. the user's own file, `config.toml` in the platform's configuration folder (or `$TABBY_LS_CONFIG`)
3. the environment: `TABBY_LS_` and the setting's path, as in `TABBY_LS_BACKEND_URL`
4. the editor's `initializationOptions`
5. the editor's `workspace/configuration`, which a file inside a project may have influenced, and which
   therefore cannot touch the settings that say where code and keys go (those marked `machine`)

A wrong or unknown setting becomes a :class:`Problem` and the rest still works.
"""

from tabby_ls.settings.definition import (
    KINDS,
    BackendSettings,
    ContextSettings,
    Kind,
    LocalSettings,
    LogSettings,
    MenuSettings,
    Settings,
    TraceSettings,
    setting_paths,
)
from tabby_ls.settings.merging import Problem, Source
from tabby_ls.settings.sources import (
    ENVIRONMENT_PREFIX,
    SECTION,
    config_file,
    from_environment,
    load,
    own_section,
    read_config_file,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "KINDS",
    "SECTION",
    "BackendSettings",
    "ContextSettings",
    "Kind",
    "LocalSettings",
    "LogSettings",
    "MenuSettings",
    "Problem",
    "Settings",
    "Source",
    "TraceSettings",
    "config_file",
    "from_environment",
    "load",
    "own_section",
    "read_config_file",
    "setting_paths",
]
