"""What most commands need first: settings, code tables and rules, or a clear end where one of them is wrong."""

from cli.output import fail
from codes import Codes, TableError, load_codes
from config.settings import Settings, SettingsError, load_settings
from policy import PolicyError, Rules, load_policy


def settings_or_fail() -> Settings:
    """Return the settings; end the command with every fault where they are wrong."""
    try:
        return load_settings()
    except SettingsError as error:
        raise fail(f"These settings are wrong:\n{error}", 2) from None


def codes_or_fail(settings: Settings) -> Codes:
    """Return the code tables in force; end the command with every fault where a file is wrong."""
    try:
        return load_codes(settings.codes_local)
    except TableError as error:
        raise fail(f"The code tables break their rules:\n{error}", 2) from None
    except OSError as error:
        raise fail(f"DLR_CODES_LOCAL cannot be read: {error}", 2) from None


def rules_or_fail(settings: Settings, codes: Codes) -> Rules:
    """Return the rules in force; end the command with every fault where a file is wrong."""
    try:
        return load_policy(settings.policy, codes.tables)
    except PolicyError as error:
        raise fail(f"The policy cannot be used:\n{error}", 2) from None
    except OSError as error:
        raise fail(f"DLR_POLICY cannot be read: {error}", 2) from None
