"""Manages enrolments by azure-iothub-provisioningserviceclient; prints what worked as JSON.

    dps_service.py '{"service": FILE, "prefix": "python-", "cert": FILE, "ca": FILE,
                     "registered": REGISTRATION_ID}'
"""

import json
import sys
import traceback

from provisioningserviceclient import (
    BULKOP_CREATE,
    BULKOP_DELETE,
    BulkEnrollmentOperation,
    ProvisioningServiceClient,
    ProvisioningServiceError,
    QuerySpecification,
)
from provisioningserviceclient.models import (
    AttestationMechanism,
    EnrollmentGroup,
    IndividualEnrollment,
)


def text_of(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def failure_of(action, *arguments):
    try:
        action(*arguments)
    except ProvisioningServiceError as error:
        return str(error)
    return "none"


def pages(query, name):
    ids, count = [], 0
    for page in query:
        ids += [getattr(item, name) for item in page]
        count += 1
    return ids, count


def conversation(wanted, done):
    service = ProvisioningServiceClient.create_from_connection_string(text_of(wanted["service"]))
    pem = text_of(wanted["cert"])
    ids = [f"{wanted['prefix']}{number}" for number in range(3)]

    def enrolment(registration_id):
        attestation = AttestationMechanism.create_with_x509_client_certs(pem)
        return IndividualEnrollment.create(registration_id, attestation, device_id=registration_id)

    for registration_id in ids:
        made = service.create_or_update(enrolment(registration_id))
        shown = made.attestation.x509.client_certificates.primary
        done["certificate_is_replaced_by_info"] = bool(shown.info.sha256_thumbprint)
    first = service.get_individual_enrollment(ids[0])
    done["get"] = first.device_id == ids[0] and bool(first.etag)
    done["create_over_existing"] = failure_of(service.create_or_update, enrolment(ids[0]))
    stale = first.etag
    first.provisioning_status = "disabled"
    first.attestation = AttestationMechanism.create_with_x509_client_certs(pem)
    changed = service.create_or_update(first)
    done["update_with_etag"] = changed.provisioning_status == "disabled"
    changed.etag = stale
    changed.attestation = AttestationMechanism.create_with_x509_client_certs(pem)
    done["stale_etag"] = failure_of(service.create_or_update, changed)
    query = service.create_individual_enrollment_query(
        QuerySpecification("SELECT * FROM enrollments"), 2
    )
    found, count = pages(query, "registration_id")
    done["query_pages"] = count > 1 and set(ids) <= set(found)
    both = [f"{wanted['prefix']}{number}" for number in (3, 4)]
    bulk = BulkEnrollmentOperation(BULKOP_CREATE, [enrolment(each) for each in both])
    done["bulk_create"] = service.run_bulk_operation(bulk).is_successful
    bulk = BulkEnrollmentOperation(BULKOP_DELETE, [enrolment(each) for each in both])
    done["bulk_delete"] = service.run_bulk_operation(bulk).is_successful
    mechanism = service.get_individual_enrollment_attestation_mechanism(ids[1])
    done["attestation_mechanism"] = mechanism.type == "x509"
    attestation = AttestationMechanism.create_with_x509_signing_certs(text_of(wanted["ca"]))
    group = service.create_or_update(
        EnrollmentGroup.create(f"{wanted['prefix']}group", attestation)
    )
    done["group_create"] = bool(group.etag)
    query = service.create_enrollment_group_query(
        QuerySpecification("SELECT * FROM enrollmentGroups"), 10
    )
    found, _ = pages(query, "enrollment_group_id")
    done["group_query"] = group.enrollment_group_id in found
    service.delete(group)
    done["group_delete"] = failure_of(service.get_enrollment_group, group.enrollment_group_id)
    state = service.get_registration_state(wanted["registered"])
    done["registration_state"] = state.status == "assigned" and bool(state.assigned_hub)
    for registration_id in ids[:2]:
        service.delete_individual_enrollment_by_param(registration_id)
    done["delete"] = failure_of(service.get_individual_enrollment, ids[0])


def main():
    done = {}
    result = {"ok": True, "done": done}
    try:
        conversation(json.loads(sys.argv[1]), done)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        result |= {"ok": False, "error": type(error).__name__, "message": str(error)}
    print(json.dumps(result))


main()
