"""Where the public cloud's services answer. Apart from the settings, which the worker has no need to load."""

from typing import Final

PUBLIC_ARM: Final = "https://management.azure.com"
PUBLIC_QUERY: Final = "https://api.loganalytics.io/v1"
