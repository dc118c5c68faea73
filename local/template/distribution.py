"""Read the CloudFront distribution of a template."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.template.loader import TemplateError
from local.template.models import Behavior, Distribution, Headers, OriginKind
from local.template.placeholders import placeholder_resource
from local.template.properties import refuse_unknown

_READ = {"CacheBehaviors", "DefaultCacheBehavior", "Origins"}
# Properties without an effect on a developer's machine: TLS, names, prices, the firewall.
_IGNORED = {
    *("Aliases", "Comment", "DefaultRootObject", "Enabled", "HttpVersion", "IPV6Enabled"),
    *("PriceClass", "ViewerCertificate", "WebACLId"),
}
_BEHAVIOR_READ = {
    *("AllowedMethods", "Compress", "FunctionAssociations", "PathPattern"),
    *("ResponseHeadersPolicyId", "TargetOriginId"),
}
# No cache here: the browser has one, and an edit must be visible.
_BEHAVIOR_IGNORED = {"CachePolicyId", "OriginRequestPolicyId", "ViewerProtocolPolicy"}
# The name and the value of each header, from its part of a SecurityHeadersConfig.
_SECURITY_HEADERS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "ContentSecurityPolicy": (
        "Content-Security-Policy",
        lambda part: part["ContentSecurityPolicy"],
    ),
    "ContentTypeOptions": ("X-Content-Type-Options", lambda _: "nosniff"),
    "FrameOptions": ("X-Frame-Options", lambda part: part["FrameOption"]),
    "ReferrerPolicy": ("Referrer-Policy", lambda part: part["ReferrerPolicy"]),
    "StrictTransportSecurity": (
        "Strict-Transport-Security",
        lambda part: (
            f"max-age={part['AccessControlMaxAgeSec']}"
            + ("; includeSubDomains" if part.get("IncludeSubdomains") else "")
        ),
    ),
    "XSSProtection": (
        "X-XSS-Protection",
        lambda part: f"{part['Protection']:d}" + ("; mode=block" if part.get("ModeBlock") else ""),
    ),
}


def read_distribution(
    config: Mapping[str, Any], policies: Mapping[str, Mapping[str, Any]]
) -> Distribution:
    """Read a DistributionConfig; `policies` has the response-headers policies by resource."""
    refuse_unknown("The distribution", config, _READ | _IGNORED)
    origins = {origin["Id"]: origin for origin in config["Origins"]}
    headers = {name: dict(_headers(name, policy)) for name, policy in policies.items()}
    default = {**config["DefaultCacheBehavior"], "PathPattern": "*"}
    return Distribution(
        behaviors=tuple(
            _behavior(each, origins, headers)
            for each in [*config.get("CacheBehaviors", []), default]
        ),
        image_url=next(
            f"https://{origin['DomainName']}"
            for origin in origins.values()
            if _kind(origin) == "images"
        ),
    )


def _behavior(
    behavior: Mapping[str, Any],
    origins: Mapping[str, Mapping[str, Any]],
    headers: Mapping[str, Headers],
) -> Behavior:
    pattern = behavior["PathPattern"]
    refuse_unknown(f"The behaviour of {pattern}", behavior, _BEHAVIOR_READ | _BEHAVIOR_IGNORED)
    functions = behavior.get("FunctionAssociations", [])
    if any(each["EventType"] != "viewer-request" for each in functions):
        raise TemplateError(f"{pattern}: the local runtime supports functions of requests only")
    policy = behavior.get("ResponseHeadersPolicyId")
    return Behavior(
        pattern=pattern,
        origin=_kind(origins[behavior["TargetOriginId"]]),
        methods=frozenset(behavior["AllowedMethods"]),
        compresses=behavior.get("Compress", False),
        function=placeholder_resource(functions[0]["FunctionARN"]) if functions else None,
        headers=headers[placeholder_resource(policy)] if policy else {},
    )


def _kind(origin: Mapping[str, Any]) -> OriginKind:
    if "S3OriginConfig" in origin:
        return "page"
    return "api" if ".execute-api." in origin["DomainName"] else "images"


def _headers(name: str, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    refuse_unknown(name, config, {"Name", "SecurityHeadersConfig"})
    security = config["SecurityHeadersConfig"]
    refuse_unknown(name, security, set(_SECURITY_HEADERS))
    for kind, part in security.items():
        if not part.get("Override"):
            raise TemplateError(f"{name}: the local runtime only supports headers that override")
        header, value = _SECURITY_HEADERS[kind]
        yield header, value(part)
