"""Check what AWS would refuse in this account and region."""

from collections.abc import Iterator, Mapping

from local.run_config import PROJECT
from tools.doctor.finding import Client, Deployment, Finding, stack_of
from tools.doctor.settings import stored

# The parameters that an update must not change, and what it would do.
PERMANENT = {
    "DatabaseMode": "replace the database by an empty one",
    "SecretStore": "replace the keys: sessions end, and stored API keys become unreadable",
    "KmsKeyArn": "replace the database by an empty one",
}

_AUTHORITIES = PROJECT / "layers/shared/python/medianest/core/amazon_authorities.pem"
# AWS refuses a reservation that leaves fewer environments than this to other functions.
_UNRESERVED = 100
# Reserved for the worker, servers and jobs, cleanup, migrations and page, once any is reserved.
FIXED_RESERVATION = 11
# The quota of VPCs in a region, and the attribute of an account with that of addresses.
_VPCS, _ADDRESSES = "L-F678F1CE", "vpc-max-elastic-ips"
# The zone of us-east-1 that has no Lambda functions in a VPC.
_NO_LAMBDA = "use1-az3"


def credentials(client: Client) -> Finding:
    """Return the caller that AWS knows; raises ClientError or BotoCoreError without one."""
    caller = client("sts").get_caller_identity()
    return Finding("ok", f"You are {caller['Arn']} in account {caller['Account']}.")


def region(deployment: Deployment) -> Iterator[Finding]:
    """Check that the package has the authorities of the region's databases."""
    if deployment.parameters["DatabaseMode"] == "external":
        return
    if f"Amazon RDS {deployment.region} Root CA" in _AUTHORITIES.read_text(encoding="utf-8"):
        yield Finding("ok", f"The package has the certificates of {deployment.region}.")
    else:
        yield Finding(
            "failure",
            f"The package lacks the certificates of databases in {deployment.region}: add them as"
            f" the head of {_AUTHORITIES.relative_to(PROJECT)} explains, or choose another region.",
        )


def concurrency(deployment: Deployment) -> Iterator[Finding]:
    """Compare the concurrency limits with the quota of the account."""
    limits = deployment.client("lambda").get_account_settings()["AccountLimit"]
    # The functions of an existing stack have their part of what is reserved.
    counted = "ConcurrentExecutions" if deployment.exists else "UnreservedConcurrentExecutions"
    quota = int(limits[counted])
    names = ("Media", "Auth", "Plex", "Admin", "Health")
    wanted = sum(int(deployment.parameters[f"{each}Concurrency"]) for each in names)
    rotates = deployment.parameters["JwtRotationDays"] != "0"
    stores = deployment.parameters["SecretStore"] == "parameterstore"
    needed = wanted + FIXED_RESERVATION + rotates + stores + _UNRESERVED
    if wanted and needed > quota:
        yield Finding(
            "failure",
            f"The concurrency limits need a quota of {needed}, and the account has {quota}: set"
            " them to 0, or request more under Service Quotas, AWS Lambda, Concurrent executions.",
        )
    elif quota < _UNRESERVED:
        yield Finding(
            "warning",
            f"The account runs {quota} environments at once, so busy callers get 429: request 1000"
            " under Service Quotas, AWS Lambda, Concurrent executions; it is free.",
        )
    else:
        yield Finding("ok", f"Lambda runs {quota} environments at once.")


def network(deployment: Deployment) -> Iterator[Finding]:
    """Check that the account may create what the stack lacks: a VPC, addresses of NAT gateways."""
    has = deployment.before
    ec2, quotas = deployment.client("ec2"), deployment.client("service-quotas")
    if deployment.has_vpc and not (has and has.has_vpc):
        vpcs = quotas.get_service_quota(ServiceCode="vpc", QuotaCode=_VPCS)["Quota"]["Value"]
        yield _room("VPCs", len(ec2.describe_vpcs()["Vpcs"]), int(vpcs), 1)
    needed = deployment.addresses - (has.addresses if has else 0)
    if needed > 0:
        named = ec2.describe_account_attributes(AttributeNames=[_ADDRESSES])["AccountAttributes"]
        (most,) = (
            int(each["AttributeValues"][0]["AttributeValue"])
            for each in named
            if each["AttributeName"] == _ADDRESSES
        )
        used = len(ec2.describe_addresses()["Addresses"])
        yield _room("elastic IP addresses", used, most, needed)


def _room(what: str, used: int, most: int, needed: int) -> Finding:
    if used + needed > most:
        return Finding(
            "failure",
            f"The region has {used} of {most} {what}, and the stack needs {needed} more:"
            " delete unused ones, or request more under Service Quotas.",
        )
    return Finding("ok", f"The region has {used} of {most} {what}.")


def zones(deployment: Deployment) -> Iterator[Finding]:
    """Check the availability zones, of which one in us-east-1 has no functions."""
    if not deployment.has_vpc or (deployment.before and deployment.before.has_vpc):
        return
    listed = deployment.client("ec2").describe_availability_zones()["AvailabilityZones"]
    ids = {
        each["ZoneName"]: each["ZoneId"]
        for each in listed
        if (each["State"], each["ZoneType"]) == ("available", "availability-zone")
    }
    chosen = [deployment.parameters[name] for name in ("ZoneA", "ZoneB")]
    chosen = chosen if all(chosen) else sorted(ids)[:2]
    for name in chosen:
        if name not in ids:
            yield Finding("failure", f"The region has no zone {name}: take of {', '.join(ids)}.")
        elif ids[name] == _NO_LAMBDA:
            others = [each for each in sorted(ids) if ids[each] != _NO_LAMBDA][:2]
            yield Finding(
                "failure",
                f"AWS runs no functions in {name} ({_NO_LAMBDA}):"
                f" add ZoneA={others[0]} ZoneB={others[1]}.",
            )
        else:
            yield Finding("ok", f"The stack uses the zone {name}.")


def plan(deployment: Deployment) -> Iterator[Finding]:
    """Check what an account on AWS's free plan may not create."""
    state = deployment.client("freetier").get_account_plan_state()
    if state.get("accountPlanType") != "FREE" or not deployment.has_vpc:
        return
    wanted = list(_on_the_free_plan(deployment.parameters))
    if wanted:
        yield Finding(
            "failure",
            f"The account is on AWS's free plan, which refuses some of these parameters: add"
            f" {' '.join(wanted)}, or upgrade the account (docs/deploy.md, New accounts).",
        )
    else:
        yield Finding("ok", "The stack fits AWS's free plan.")


def _on_the_free_plan(given: Mapping[str, str]) -> Iterator[str]:
    """Yield the parameters that the free plan needs instead; docs/deploy.md has the sources."""
    if given["EgressMode"] == "nat-instance" and given["NatInstanceType"] == "t4g.nano":
        yield "NatInstanceType=t4g.micro"
    if given["DatabaseMode"] == "external":
        return
    if int(given["DatabaseBackupDays"]) > 1:
        yield "DatabaseBackupDays=1"
    if given["DatabaseMode"] == "aurora":
        yield "DatabaseMode=rds"
    if given["DatabaseInstanceClass"] != "db.t4g.micro":
        yield "DatabaseInstanceClass=db.t4g.micro"
    for name in ("DatabaseMultiAz", "DatabaseProxy"):
        if given[name] == "true":
            yield f"{name}=false"


def domain(deployment: Deployment) -> Iterator[Finding]:
    """Check that the certificate of a domain is issued, where it is used and for that domain."""
    given = deployment.parameters
    name, arn = given["DomainName"], given["CertificateArn"]
    if not name:
        return
    wanted = "us-east-1" if given["WebPage"] == "true" else deployment.region
    if f":acm:{wanted}:" not in arn:
        yield Finding(
            "failure", f"The certificate of {name} must be in {wanted}: request one there."
        )
        return
    certificate = deployment.client(f"acm {wanted}").describe_certificate(CertificateArn=arn)
    found = certificate["Certificate"]
    names = {found["DomainName"], *found.get("SubjectAlternativeNames", [])}
    if found["Status"] != "ISSUED":
        yield Finding(
            "failure",
            f"The certificate is {found['Status']}: create the DNS record that proves the domain,"
            " and wait until it is ISSUED.",
        )
    elif not {name, f"*.{name.partition('.')[2]}"} & names:
        yield Finding(
            "failure", f"The certificate is for {', '.join(sorted(names))}, not for {name}."
        )
    else:
        yield Finding("ok", f"The certificate of {name} is issued.")


def access_log(deployment: Deployment) -> Iterator[Finding]:
    """Check whether another stack has set the role of access logs."""
    if deployment.parameters["AccessLogRole"] != "create" or deployment.exists:
        return
    if deployment.client("apigateway").get_account().get("cloudwatchRoleArn"):
        yield Finding(
            "warning",
            "The region already has a role for access logs, which this stack would replace: add"
            " AccessLogRole=existing.",
        )


def state(deployment: Deployment) -> Iterator[Finding]:
    """Check that the stack can be deployed in the state that it has."""
    status = deployment.status
    if status is None:
        yield Finding("ok", f"The stack {deployment.stack} does not exist yet.")
    elif status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}:
        yield Finding(
            "failure",
            f"The stack {deployment.stack} is in {status}: delete it first, with"
            f" `.venv-sam/bin/sam delete --stack-name {deployment.stack}`.",
        )
    elif status == "UPDATE_ROLLBACK_FAILED":
        yield Finding(
            "failure",
            f"The stack {deployment.stack} is in {status}: continue the rollback first, with"
            f" `aws cloudformation continue-update-rollback --stack-name {deployment.stack}`.",
        )
    elif status.endswith("_IN_PROGRESS"):
        yield Finding(
            "failure", f"The stack {deployment.stack} is in {status}: wait until it ends."
        )
    else:
        yield Finding("ok", f"The stack {deployment.stack} is in {status} and would be updated.")
        yield from _lost(deployment)


def _lost(deployment: Deployment) -> Iterator[Finding]:
    """Find the parameters with which an update would lose data."""
    has = stored(stack_of(deployment.client, deployment.stack))
    for name, loss in PERMANENT.items():
        if name == "KmsKeyArn" and has.get("DatabaseMode") == "external":
            continue
        wanted = deployment.parameters[name]
        if has.get(name, wanted) != wanted:
            yield Finding(
                "failure",
                f"The stack {deployment.stack} has {name}={has[name]}, and {name}={wanted} would"
                f" {loss}: deploy with {name}={has[name]}, in the profile as well.",
            )
    cache = has.get("CacheMode", "none")
    if cache != "none" and deployment.parameters["CacheMode"] == "none":
        yield Finding(
            "warning",
            f"The stack {deployment.stack} has CacheMode={cache}, and CacheMode=none would delete"
            f" the cache: with a new release, deploy it first with `--parameter-overrides"
            f" CacheMode={cache}`, or callers get errors for some minutes.",
        )
