"""Our numbers, and where each is pointed to (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier.options import NUMBERS
from scripts.simulated_carrier.resources import API_VERSION, Json, now, path, rfc2822

# Parameter -> our field.
FIELDS = {
    "FriendlyName": "friendly_name", "VoiceUrl": "voice_url", "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url", "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback", "StatusCallbackMethod": "status_callback_method",
}  # fmt: skip


@dataclass
class Number:
    phone: str
    friendly_name: str
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def sid(self) -> str:
        return "PN" + self.phone.removeprefix("+").zfill(32)

    def change(self, form: Mapping[str, list[str]]) -> None:
        for name, ours in FIELDS.items():
            if name in form:
                setattr(self, ours, form[name][-1])
        self.updated_at = now()

    def show(self, account_sid: str, sms_url: str) -> Json:
        return {
            "sid": self.sid, "account_sid": account_sid, "friendly_name": self.friendly_name,
            "phone_number": self.phone, "voice_url": self.voice_url, "voice_method": self.voice_method,
            "voice_fallback_url": self.voice_fallback_url, "voice_fallback_method": self.voice_fallback_method,
            "voice_application_sid": None, "voice_caller_id_lookup": False, "voice_receive_mode": "voice",
            "status_callback": self.status_callback, "status_callback_method": self.status_callback_method,
            "sms_url": sms_url, "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST",
            "sms_application_sid": None, "trunk_sid": None, "address_sid": None, "identity_sid": None,
            "bundle_sid": None, "emergency_address_sid": None, "emergency_status": "Inactive",
            "emergency_address_status": "unregistered", "address_requirements": "none", "beta": False,
            "origin": "twilio", "status": "in-use", "type": "local", "api_version": API_VERSION,
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
            "date_created": rfc2822(self.created_at), "date_updated": rfc2822(self.updated_at),
            "uri": path(account_sid, "IncomingPhoneNumbers", f"{self.sid}.json"),
        }  # fmt: skip


class Numbers(dict[str, Number]):
    """By phone, in the order in which they became ours."""

    def __init__(self) -> None:
        super().__init__({phone: Number(phone, phone) for phone in NUMBERS})

    def by_sid(self, sid: str) -> Number | None:
        return next((number for number in self.values() if number.sid == sid), None)
