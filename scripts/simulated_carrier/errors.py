"""Refusals in Twilio's words: HTTP status, code and sentence side by side (https://www.twilio.com/docs/api/errors)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiError(Exception):
    """Becomes Twilio's JSON error body."""

    status: int
    code: int
    message: str

    def body(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def authenticate() -> ApiError:
    return ApiError(401, 20003, "Authenticate")


def not_found(what: str) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {what} was not found")


def too_many() -> ApiError:
    return ApiError(429, 20429, "Too Many Requests")


def queue_full() -> ApiError:
    return ApiError(429, 21611, "This 'From' number has exceeded the maximum number of queued messages")


def suspended() -> ApiError:
    return ApiError(401, 20005, "Account not active")


def unavailable() -> ApiError:
    return ApiError(503, 20503, "Service unavailable")


def internal() -> ApiError:
    return ApiError(500, 20500, "Internal Server Error")


def missing(name: str) -> ApiError:
    code = {"To": 21201, "From": 21213, "Url": 21205, "Body": 21602}.get(name, 20001)
    return ApiError(400, code, f"A '{name}' is required")


def invalid_to(to: str) -> ApiError:
    return ApiError(400, 21211, f"The 'To' number {to} is not a valid phone number.")


def invalid_from(sender: str) -> ApiError:
    return ApiError(
        400, 21212, f"The 'From' number {sender} is not a valid phone number, shortcode, or alphanumeric id."
    )


def not_ours(sender: str) -> ApiError:
    return ApiError(400, 21210, f"The source phone number provided, {sender}, is not yet verified for your account.")


def not_sms_capable(sender: str) -> ApiError:
    return ApiError(400, 21606, f"The 'From' phone number {sender} is not a message-capable number for your account.")


def not_mobile(to: str) -> ApiError:
    return ApiError(400, 21614, f"'To' number is not a valid mobile number: {to}")


def unsubscribed() -> ApiError:
    return ApiError(400, 21610, "Attempt to send to unsubscribed recipient")


def body_too_long() -> ApiError:
    return ApiError(400, 21617, "The concatenated message body exceeds the 1600 character limit")


def not_in_progress() -> ApiError:
    return ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")


def bad_value(name: str, value: str) -> ApiError:
    return ApiError(400, 20001, f"Invalid value for parameter {name}: {value}")


def not_reachable(to: str) -> ApiError:
    return ApiError(400, 21612, f"Message cannot be sent with the current combination of 'To' ({to}) and/or 'From'")


def no_such_service(sid: str) -> ApiError:
    return ApiError(404, 21701, f"The Messaging Service {sid} does not exist")


def empty_service() -> ApiError:
    return ApiError(400, 21703, "The Messaging Service does not have a phone number available to send a message")


def no_such_channel() -> ApiError:
    return ApiError(400, 63007, "Twilio could not find a Channel with the specified From address")


def bad_callback(url: str) -> ApiError:
    return ApiError(400, 21609, f"The 'StatusCallback' URL {url} is not a valid URL.")


def bad_media(url: str) -> ApiError:
    return ApiError(400, 21620, f"Invalid media URL(s): {url}")


def too_much_media() -> ApiError:
    return ApiError(400, 21623, "Number of media files exceeds allowed limit")


def bad_content_sid(sid: str) -> ApiError:
    return ApiError(400, 21655, f"The ContentSid {sid} is Invalid")


def bad_variables() -> ApiError:
    return ApiError(400, 21656, "The ContentVariables Parameter is invalid")


def by_code(code: int, to: str) -> ApiError:
    """A refusal that the control page ordered for one phone, or that a phone itself is the reason of."""
    known = {21211: invalid_to(to), 21610: unsubscribed(), 21612: not_reachable(to), 21614: not_mobile(to)}
    return known.get(code, ApiError(400, code, f"Error {code}"))


def concurrency() -> ApiError:
    return ApiError(429, 10004, "Call concurrency limit exceeded")


def no_permission(to: str) -> ApiError:
    return ApiError(
        400, 21215,
        f"Account not authorized to call {to}. Perhaps you need to enable some international permissions:"
        " https://www.twilio.com/console/voice/calls/geo-permissions/low-risk",
    )  # fmt: skip


def of_dial(error: ApiError) -> ApiError:
    """What a <Dial> says of a call that would be refused so (https://www.twilio.com/docs/api/errors/13214 and on)."""
    codes = {
        21210: (13214, "Dial: Invalid callerId value"),
        21212: (13214, "Dial: Invalid callerId value"),
        21215: (13227, "Dial: No international permission"),
    }
    return ApiError(400, *codes.get(error.code, (13223, "Dial: Invalid phone number format")))


def test_only() -> ApiError:
    return ApiError(403, 20008, "Resource not accessible with Test Account Credentials")


def not_recordable() -> ApiError:
    return ApiError(400, 21220, "Requested resource is not eligible for recording")


def bad_url(name: str, url: str) -> ApiError:
    return ApiError(400, 21205, f"{name} is not a valid URL: {url}")


def still_in_progress() -> ApiError:
    return ApiError(409, 20409, "The resource is still in progress")


def bad_number_url(name: str, url: str) -> ApiError:
    code = {"VoiceUrl": 21402, "VoiceFallbackUrl": 21405}.get(name, 20001)
    return ApiError(400, code, f"{name} is not a valid URL: {url}")
