//! How the services behave where the documentation leaves a choice.

mod switch;

use std::time::Duration;

pub use switch::{BehaviourError, Switch, SwitchValue};

use switch::switches;

switches! {
    /// How HTTP answers mark their end (RFC 9112 section 6).
    framing: BodyFraming = Chunked {
        /// `Transfer-Encoding: chunked`, as the service itself.
        Chunked = "chunked",
        /// `Content-Length`.
        ContentLength = "content_length",
    }

    /// The answer to a certificate that is not the enrolled one. Both have been seen.
    certificate_mismatch: CertificateMismatch = RefuseAtOnce {
        /// 401 with 401002 to the registration request (seen 2019 and 2020).
        RefuseAtOnce = "refuse_at_once",
        /// 202, then `failed` with 401002 (seen 2018).
        FailOperation = "fail_operation",
    }

    /// The answer to a certificate whose common name is not the registration id. *Unverified*:
    /// that it is refused is known, how is not.
    name_mismatch: NameMismatch = InvalidCertificate {
        /// As to a certificate that is not the enrolled one.
        InvalidCertificate = "invalid_certificate",
        /// 400 with 400004.
        InvalidRegistrationId = "invalid_registration_id",
        /// 401 with 401000.
        Unauthorized = "unauthorized",
    }

    /// Where a device whose certificate is refused learns it over MQTT. *Unverified* which of the
    /// two the service does when; both are what clients expect.
    mqtt_certificate_failure: MqttCertificateFailure = Connack {
        /// The CONNACK has return code 5 (seen in the field).
        Connack = "connack",
        /// The CONNACK accepts; the answer to the request is `res/401`, as for tokens.
        Answer = "answer",
    }

    /// Whether upper case letters in registration ids are taken. *Unverified* for api-versions
    /// since 2018-11-01.
    id_case: IdCase = RefuseUpperCase {
        /// 400 with 400004 (seen 2018).
        RefuseUpperCase = "refuse_upper_case",
        /// Ids are compared without regard to case, as the documentation says.
        Fold = "fold",
    }

    /// The answer to an ID scope that is not ours. *Unverified*: no public record of it was found.
    wrong_scope: WrongScope = Unauthorized {
        /// 401 with 401002, `Unauthorized`.
        Unauthorized = "unauthorized",
        /// 404 with 404201.
        NotFound = "not_found",
    }

    /// The answer to a registration that begins while another one of the same id is under way.
    /// *Unverified*: the conflict is known, how close together the requests must be is not.
    concurrent_registration: ConcurrentRegistration = Supersede {
        /// The new operation replaces the old one, so that a device may reset in mid-registration.
        Supersede = "supersede",
        /// 409 with 409203.
        Conflict = "conflict",
    }

    /// Whether the dates of certificates count where a group's chain is followed. *Unverified*.
    /// The dates of a certificate that is enrolled itself never do.
    certificate_dates: CertificateDates = Checked {
        /// Leaf, intermediates and anchor must be valid: 401 with 401002 if one is not.
        Checked = "checked",
        /// They do not count.
        Ignored = "ignored",
    }

    /// The answer to a chain that reaches no group's CA. *Unverified* for today's service.
    unknown_ca: UnknownCa = CaNotFound {
        /// 401 with 401002, `CA certificate not found.` (seen 2018).
        CaNotFound = "ca_not_found",
        /// 404 with 404201, as to every device that is not enrolled.
        EnrolmentNotFound = "enrolment_not_found",
    }

    /// The answer of the service API to an enrolment that is created and exists. *Unverified*:
    /// SDKs know both.
    existing_enrolment: ExistingEnrolment = Conflict {
        /// 409 with 409201, for which SDKs have an error of their own.
        Conflict = "conflict",
        /// 412 with 412000.
        PreconditionFailed = "precondition_failed",
    }

    /// Which replies of the service API hold symmetric keys. *Unverified*; those to
    /// `attestationmechanism` always do.
    keys_in_replies: KeysInReplies = NotInQueries {
        /// Those about one enrolment, which SDKs read generated keys from.
        NotInQueries = "not_in_queries",
        /// Those to queries too.
        Always = "always",
        /// No other.
        Never = "never",
    }

    /// What becomes of a registration whose enrolment is deleted. *Unverified*.
    deleted_enrolment: DeletedEnrolment = KeepRegistration {
        /// It stays until it is deleted itself.
        KeepRegistration = "keep_registration",
        /// It goes too.
        DeleteRegistration = "delete_registration",
    }

    /// The error code of an answer 429. *Unverified*: the hub's codes are known, the provisioning
    /// service's is not.
    throttled: ThrottleCode = Code429001 {
        /// 429001, the hub's `ThrottlingException`.
        Code429001 = "429001",
        /// 429000.
        Code429000 = "429000",
    }
}

/// How long an assignment takes without a wish.
const ASSIGNMENT_TIME: Duration = Duration::from_secs(4);
/// `Retry-After` without a wish.
const RETRY_AFTER: Duration = Duration::from_secs(3);
