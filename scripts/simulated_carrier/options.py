"""What the simulated carrier is told: at its start by arguments, while it runs by the control page."""

from dataclasses import dataclass, fields

# The same invented account as the product's setting `carrier = simulated`. Whoever runs both names another token to
# both (CONVOCA_SIMULATED_TOKEN), because it signs webhooks.
ACCOUNT_SID = "AC" + "5" * 32
AUTH_TOKEN = "simulated-auth-token"  # noqa: S105 - public on purpose
NUMBERS = ("+525512340000", "+525512340001")


@dataclass
class Options:
    """Shares are between 0 and 1. `speed` 2 makes people ring, talk and lose patience twice as fast."""

    seed: int = 1
    speed: float = 1.0
    calls_per_second: float = 30.0
    messages_per_second: float = 50.0
    refused_share: float = 0.0  # requests answered 429 / 20429, nothing accepted
    unknown_share: float = 0.0  # requests accepted, then answered 500
    lost_share: float = 0.0  # callbacks that never arrive
    late_share: float = 0.0  # callbacks that arrive up to three seconds late, hence out of order
    double_share: float = 0.0  # callbacks that arrive twice
    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN

    def change(self, values: dict[str, object]) -> None:
        """Set numbers by name; raises ValueError that names an unknown one and the known ones, or a bad value."""
        known = [field.name for field in fields(self) if field.name not in ("account_sid", "auth_token", "seed")]
        changed: dict[str, float] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; the settings are {', '.join(known)}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name} must be a number, not {value!r}")
            if value < 0 or (name.endswith("_share") and value > 1) or (name == "speed" and value == 0):
                raise ValueError(f"{name} cannot be {value!r}")
            changed[name] = float(value)
        for name, number in changed.items():
            setattr(self, name, number)
