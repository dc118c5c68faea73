"""The reader of template.yaml: functions, routes, intrinsic functions, conditions and errors."""

import uuid
from pathlib import Path

import pytest

from local.download_servers import registration_function
from local.preflight import StartError
from local.run_config import PROJECT
from local.template.loader import TemplateError
from local.template.models import Behavior, Mock, Route, Template, Throttle
from local.template.placeholders import placeholder_origin
from local.template.reader import read_template

API_FUNCTIONS = ("Health", "Auth", "Plex", "Media", "Admin", "Fulfilment")
API = """
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      DefinitionBody: {openapi: "3.0.1", paths: {}}
"""
CONDITIONS = """
Parameters:
  Stage: {Type: String, Default: test, AllowedValues: [test, live]}
  Count: {Type: Number, Default: 0}
  Secret: {Type: String}
Conditions:
  IsLive: !Equals [!Ref Stage, live]
  IsCounted: !Not [!Equals [!Ref Count, 0]]
  IsBoth: !And [!Condition IsLive, !Condition IsCounted]
  IsEither: !Or [!Condition IsLive, !Condition IsCounted]
"""


def project_template(**parameters: str) -> Template:
    return read_template(PROJECT / "template.yaml", opt=Path("opt"), parameters=parameters)


def read(folder: Path, resources: str, head: str = "", **parameters: str) -> Template:
    path = folder / "template.yaml"
    path.write_text(f"{head}\nResources:\n{resources}")
    return read_template(path, opt=folder / "opt", parameters=parameters)


def function(properties: str) -> str:
    return f"""
  Work:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: work, Handler: app.handler, {properties}}}
"""


def api(properties: str) -> str:
    return f"{API.rstrip()}\n      {properties}\n"


def path(operation: str) -> str:
    return API.replace("paths: {}", f"paths: {{/api/x: {{{operation}}}}}")


def variables(folder: Path, text: str, **parameters: str) -> dict[str, str]:
    resources = function(f"AutoPublishAlias: now, Environment: {{Variables: {text}}}") + API
    return dict(read(folder, resources, CONDITIONS, **parameters).functions["Work"].environment)


def test_project_template_has_all_functions() -> None:
    functions = project_template().functions

    assert set(functions) == {
        f"{name}Function" for name in (*API_FUNCTIONS, "Cleanup", "Migrations", "Page", "Worker")
    }
    health = functions["HealthFunction"]
    assert (health.code, health.handler) == (PROJECT / "functions/health", "app.handler")
    assert (health.timeout, health.memory, health.concurrency) == (15, 1024, None)
    assert [(layer.id, layer.is_source) for layer in health.layers] == [
        ("DependenciesLayer", False),
        ("SharedLayer", True),
    ]
    assert health.layers[0].python == Path("opt/DependenciesLayer/python").resolve()
    assert health.layers[1].python == PROJECT / "layers/shared/python"
    bounded = project_template(MediaConcurrency="40").functions
    assert bounded["CleanupFunction"].concurrency == 2


def test_function_has_global_and_specific_variables() -> None:
    environment = project_template().functions["AuthFunction"].environment

    assert environment["POWERTOOLS_METRICS_NAMESPACE"] == "MediaNest"
    assert environment["POWERTOOLS_SERVICE_NAME"] == "auth"
    assert environment["CORS_ORIGIN"] == "*"
    assert "TMDB_API_KEY" not in environment


def test_template_without_the_function_for_download_servers_is_named(tmp_path: Path) -> None:
    assert registration_function(project_template()).id == "RegistrationFunction"
    with pytest.raises(StartError, match=r"template.yaml has no FulfilmentFunction"):
        registration_function(read(tmp_path, API + function("")))


def test_placeholder_of_a_missing_secret_has_its_origin(tmp_path: Path) -> None:
    environment = project_template().functions["PlexFunction"].environment

    assert placeholder_origin(environment["JWT_SECRET"]) == "JwtSecret, which exists only on AWS"
    assert placeholder_origin(environment["PLEX_API_URL"]) is None
    resolved = variables(tmp_path, "{SECRET: !Sub 'from ${Secret}'}")
    assert placeholder_origin(resolved["SECRET"]) == "the parameter Secret, which has no value"


def test_project_template_uses_an_external_database_and_cache_by_default() -> None:
    environment = project_template().functions["HealthFunction"].environment
    assert not {"DATABASE_HOST", "REDIS_HOST"} & set(environment)
    assert (environment["DATABASE_URL"], environment["REDIS_URL"]) == ("", "")

    on_aws = (
        project_template(DatabaseMode="rds", CacheMode="node")
        .functions["HealthFunction"]
        .environment
    )
    assert placeholder_origin(on_aws["DATABASE_URL"]) == (
        "DatabaseAppSecret, which exists only on AWS"
    )
    assert placeholder_origin(on_aws["DATABASE_HOST"]) == "Database, which exists only on AWS"
    assert placeholder_origin(on_aws["REDIS_HOST"]) == "CacheNodes, which exists only on AWS"


def test_parameters_enable_conditional_parts_of_the_project_template() -> None:
    assert "RotationFunction" not in project_template().functions
    bounded = project_template(JwtRotationDays="31", MediaConcurrency="40")
    rotation = bounded.functions["RotationFunction"]
    assert (rotation.code, rotation.concurrency) == (PROJECT / "functions/rotation", 1)
    assert "DATABASE_URL" not in rotation.environment
    with_aurora = project_template(DatabaseMode="aurora")
    assert with_aurora.functions["HealthFunction"].environment["DATABASE_PAUSES"] == "true"
    assert with_aurora.schedules["ExpiredSessions"].expression == "cron(0 4 * * ? *)"


def test_plex_client_id_is_derived_from_the_stack_by_default() -> None:
    environment = project_template().functions["PlexFunction"].environment
    derived = environment["PLEX_CLIENT_ID"]
    assert str(uuid.UUID(derived)) == derived
    environment = project_template(PlexClientId="mine").functions["PlexFunction"].environment
    assert environment["PLEX_CLIENT_ID"] == "mine"


def test_project_template_has_routes_to_functions_and_mocks() -> None:
    routes = {(route.path, route.method): route.target for route in project_template().routes}

    assert routes["/api/health", "GET"] == "HealthFunction"
    assert routes["/api/admin/requests/{id}/approve", "POST"] == "AdminFunction"
    refusal = routes["/api/health", "ANY"]
    assert isinstance(refusal, Mock)
    assert refusal.headers["Allow"] == "'GET, HEAD, OPTIONS'"


def test_project_template_has_throttles_gateway_responses_and_schedules() -> None:
    template = project_template(CorsOrigin="https://app.example")

    assert template.stage_throttle == Throttle(100, 200)
    assert template.method_throttles["/api/auth/plex/pin", "POST"] == Throttle(5, 10)
    throttled = template.gateway_responses["THROTTLED"]
    assert throttled.status == 429
    assert throttled.headers["Retry-After"] == "'1'"
    assert throttled.headers["Access-Control-Allow-Origin"] == "'https://app.example'"
    assert throttled.headers["X-Frame-Options"] == "'DENY'"
    schedule = template.schedules["ExpiredSessions"]
    assert (schedule.function, schedule.expression) == ("CleanupFunction", "rate(1 hour)")
    assert (schedule.event, schedule.retries) == ({"task": "sessions"}, 3)
    assert schedule.is_enabled


def test_concurrency_of_zero_means_no_bound() -> None:
    functions = project_template(MediaConcurrency="40").functions
    assert functions["HealthFunction"].concurrency is None
    assert functions["MediaFunction"].concurrency == 40


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Stage", "test"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Sub 'a-${Stage}-${AWS::Partition}-${!literal}'", "a-test-aws-${literal}"),
        ("!Sub ['${Name}-${Stage}', {Name: !Ref Count}]", "0-test"),
        ("!Sub '${Work.Arn}'", "arn:aws:lambda:us-east-1:123456789012:function:Work"),
        ("!GetAtt Api.RootResourceId", "Api.RootResourceId"),
        ("!Ref Work.Alias", "arn:aws:lambda:us-east-1:123456789012:function:Work:now"),
        ("!Sub 'x-${Work.Alias}'", "x-arn:aws:lambda:us-east-1:123456789012:function:Work:now"),
        ("!Select [1, !Split [/, !Ref AWS::StackId]]", "medianest"),
        ("!Ref Api", "Api"),
        ("!If [IsLive, yes-it-is, no-it-is-not]", "no-it-is-not"),
        ("!If [IsEither, 1, 2]", "2"),
        ("{Ref: Count}", "0"),
    ],
)
def test_intrinsic_function_is_resolved(tmp_path: Path, value: str, expected: str) -> None:
    assert variables(tmp_path, f"{{NAME: {value}}}") == {"NAME": expected}


def test_conditions_depend_on_parameters(tmp_path: Path) -> None:
    text = "{BOTH: !If [IsBoth, a, b], EITHER: !If [IsEither, a, b]}"

    resolved = variables(tmp_path, text, Stage="live", Count="3")
    assert resolved == {"BOTH": "a", "EITHER": "a"}
    resolved = variables(tmp_path, text, Stage="live")
    assert resolved == {"BOTH": "b", "EITHER": "a"}


def test_route_to_an_alias_is_a_route_to_the_function(tmp_path: Path) -> None:
    uri = (
        "!Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"
        "/${Work.Alias}/invocations'"
    )
    integration = f"{{type: aws_proxy, httpMethod: POST, uri: {uri}}}"
    resources = path(f"get: {{x-amazon-apigateway-integration: {integration}}}")

    template = read(tmp_path, resources + function("AutoPublishAlias: live"))
    assert template.routes == (Route("/api/x", "GET", "Work"),)
    with pytest.raises(TemplateError, match="no function Work has AutoPublishAlias"):
        read(tmp_path, resources + function(""))


def test_elements_that_only_aws_needs_are_ignored(tmp_path: Path) -> None:
    head = """
Rules: {Always: {Assertions: [{Assert: !Equals [a, b], AssertDescription: never}]}}
Mappings: {Sizes: {small: {Of: 1}}}
"""
    properties = (
        "VpcConfig: !If [Is, {}, {}], SnapStart: {ApplyOn: None}, Tracing: Active, "
        "AutoPublishAlias: live, AutoPublishAliasAllProperties: true, Role: !GetAtt Role.Arn"
    )
    others = """
  Role: {Type: AWS::IAM::Role, Properties: {}}
  Migrations: {Type: Custom::Migrations, Properties: {ServiceToken: !GetAtt Work.Arn}}
  Account: {Type: AWS::ApiGateway::Account, Properties: {CloudWatchRoleArn: !GetAtt Role.Arn}}
  Domain: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: api.example}}
  Mapping: {Type: AWS::ApiGateway::BasePathMapping, Properties: {DomainName: !Ref Domain}}
"""
    waiting = function(properties).replace(
        "    Properties", "    DependsOn: Migrations\n    Properties"
    )
    template = read(tmp_path, waiting + others + API, f"{head}\nConditions: {{Is: !Equals [a, a]}}")
    assert set(template.functions) == {"Work"}


def test_no_value_removes_the_entry(tmp_path: Path) -> None:
    text = "{KEPT: '1', DROPPED: !If [IsLive, '2', !Ref AWS::NoValue]}"

    assert variables(tmp_path, text) == {"KEPT": "1"}


def test_resource_with_a_false_condition_is_omitted(tmp_path: Path) -> None:
    resources = function("").replace("Properties", "Condition: IsLive\n    Properties") + API

    assert read(tmp_path, resources, CONDITIONS).functions == {}
    assert set(read(tmp_path, resources, CONDITIONS, Stage="live").functions) == {"Work"}


def test_globals_merge_maps_and_concatenate_lists(tmp_path: Path) -> None:
    for name in ("One", "Two"):
        (tmp_path / name / "python").mkdir(parents=True)
    layers = "".join(
        f"  {name}: {{Type: 'AWS::Serverless::LayerVersion', Properties: {{ContentUri: {name}}}}}\n"
        for name in ("One", "Two")
    )
    head = """
Globals:
  Function:
    {Timeout: 9, MemorySize: 256, Layers: [!Ref One], Environment: {Variables: {A: 1, B: 1}}}
"""
    properties = "Timeout: 4, Layers: [!Ref Two], Environment: {Variables: {B: 2, C: 3}}"

    work = read(tmp_path, function(properties) + layers + API, head).functions["Work"]
    assert (work.timeout, work.memory) == (4, 256)
    assert [layer.id for layer in work.layers] == ["One", "Two"]
    assert work.environment == {"A": "1", "B": "2", "C": "3"}


@pytest.mark.parametrize(
    ("resources", "complaint"),
    [
        (function("Environment: {Variables: {A: !ImportValue b}}") + API, "Fn::ImportValue"),
        (function("Environment: {Variables: {A: !Ref Nowhere}}") + API, "Nowhere"),
        (function("Environment: {Variables: {A: !GetAtt Nowhere.Arn}}") + API, "Nowhere"),
        (function("ReservedConcurrentExecutions: !If [Missing, 1, 2]") + API, "Missing"),
        (function("FileSystemConfigs: []") + API, "FileSystemConfigs"),
        (function("Environment: {Variables: {A: !Ref Work.Alias}}") + API, "AutoPublishAlias"),
        (API + "  M: {Type: 'AWS::ApiGateway::Method', Properties: {}}", "ApiGateway::Method"),
        (function("Layers: [!Ref Api]") + API, "Api"),
        (function("Events: {E: {Type: SNS, Properties: {}}}") + API, "SNS"),
        (API + "  Http: {Type: 'AWS::Serverless::HttpApi', Properties: {}}", "HttpApi"),
        (API + "  Tick: {Type: 'AWS::Scheduler::Schedule', Properties: {}}", "Scheduler"),
        (API + "  L: {Type: 'AWS::Serverless::LayerVersion', Properties: {ContentUri: l}}", "L:"),
        (api("BinaryMediaTypes: [image/png]"), "BinaryMediaTypes"),
        (api("GatewayResponses: {THROTTLED: {ResponseParameters: {Paths: {}}}}"), "Paths"),
        (
            api("GatewayResponses: {A: {ResponseParameters: {Headers: {X: stageVariables.x}}}}"),
            "stageVariables.x",
        ),
        (
            api("GatewayResponses: {A: {ResponseTemplates: {application/json: $input.body}}}"),
            r"\$context",
        ),
        (
            api(
                "MethodSettings: [{ResourcePath: /api/none, HttpMethod: GET, "
                "ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}]"
            ),
            "/api/none",
        ),
        (path("get: {security: []}"), "security"),
        (path("get: {x-amazon-apigateway-integration: {type: http}}"), "http"),
        (path("get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: arn}}"), "arn"),
        (path("fetch: {}"), "fetch"),
        ("  Nothing: {Type: 'AWS::SQS::Queue'}", "exactly one"),
    ],
)
def test_unsupported_element_is_refused(tmp_path: Path, resources: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        read(tmp_path, resources)


def test_invalid_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no parameter Other"):
        read(tmp_path, API, CONDITIONS, Other="1")
    with pytest.raises(TemplateError, match="Stage must be one of test, live"):
        read(tmp_path, API, CONDITIONS, Stage="elsewhere")


def test_file_that_is_not_a_template_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    with pytest.raises(TemplateError, match="cannot be read"):
        read_template(path, opt=tmp_path)
    path.write_text("[1, 2]")
    with pytest.raises(TemplateError, match="not a template"):
        read_template(path, opt=tmp_path)


def test_escaped_slashes_in_a_throttled_path_are_accepted(tmp_path: Path) -> None:
    mock = (
        "{type: mock, passthroughBehavior: never, requestTemplates: "
        "{application/json: '{\"statusCode\": 200}'}, responses: {default: {statusCode: '200'}}}"
    )
    settings = (
        "MethodSettings: [{ResourcePath: ~1api~1x, HttpMethod: GET, ThrottlingRateLimit: 2, "
        "ThrottlingBurstLimit: 3}]"
    )
    resources = path(f"get: {{x-amazon-apigateway-integration: {mock}}}").rstrip()

    template = read(tmp_path, f"{resources}\n      {settings}")
    assert template.method_throttles == {("/api/x", "GET"): Throttle(2, 3)}
    accepts = frozenset({"application/json"})
    assert template.routes == (Route("/api/x", "GET", Mock(accepts, 200, {}, "")),)


def distribution(behavior: str = "", headers: str = "", config: str = "") -> str:
    return f"""{API}
  Headers:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: all
        {headers or "SecurityHeadersConfig: {FrameOptions: {FrameOption: DENY, Override: true}}"}
  Routing: {{Type: AWS::CloudFront::Function, Properties: {{Name: a}}}}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        {config}
        Origins:
          - {{Id: bucket, DomainName: a.example, S3OriginConfig: {{}}}}
          - {{Id: gateway, DomainName: !Sub "${{Api}}.execute-api.example"}}
          - {{Id: pictures, DomainName: pictures.example}}
        CacheBehaviors:
          - {{PathPattern: /p/*, TargetOriginId: pictures, AllowedMethods: [GET]}}
          - {{PathPattern: /api/*, TargetOriginId: gateway, AllowedMethods: [GET, POST]}}
        DefaultCacheBehavior:
          TargetOriginId: bucket
          AllowedMethods: [GET, HEAD]
          Compress: true
          ResponseHeadersPolicyId: !Ref Headers
          FunctionAssociations:
            - {{EventType: viewer-request, FunctionARN: !GetAtt Routing.FunctionARN}}
          {behavior}
"""


def test_behaviours_keep_their_order_and_the_default_is_last(tmp_path: Path) -> None:
    found = read(tmp_path, distribution()).distribution
    assert found is not None
    assert found.image_url == "https://pictures.example"
    assert [(each.pattern, each.origin) for each in found.behaviors] == [
        ("/p/*", "images"),
        ("/api/*", "api"),
        ("*", "page"),
    ]
    first, _, default = found.behaviors
    assert first == Behavior("/p/*", "images", frozenset({"GET"}), False, None, {})
    assert (default.methods, default.compresses) == (frozenset({"GET", "HEAD"}), True)
    assert (default.function, default.headers) == ("Routing", {"X-Frame-Options": "DENY"})


def test_template_without_page_has_no_distribution() -> None:
    assert project_template().distribution is not None
    assert project_template(WebPage="false").distribution is None


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"behavior": "TrustedSigners: [self]"}, "TrustedSigners"),
        ({"config": "CustomErrorResponses: []"}, "CustomErrorResponses"),
        ({"headers": "CorsConfig: {}"}, "CorsConfig"),
        ({"headers": "SecurityHeadersConfig: {ContentTypeOptions: {}}"}, "override"),
        ({"headers": "SecurityHeadersConfig: {Other: {}}"}, "Other"),
    ],
)
def test_unsupported_part_of_a_distribution_is_named(
    tmp_path: Path, parts: dict[str, str], message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        read(tmp_path, distribution(**parts))


def test_function_of_responses_is_not_supported(tmp_path: Path) -> None:
    text = distribution().replace("viewer-request", "viewer-response")
    with pytest.raises(TemplateError, match="functions of requests only"):
        read(tmp_path, text)


def test_local_runtime_serves_one_distribution(tmp_path: Path) -> None:
    text = distribution()
    second = text.partition("  Distribution:")[2]
    with pytest.raises(TemplateError, match="at most one distribution"):
        read(tmp_path, f"{text}  Second:{second}")


def test_other_resources_of_cloudfront_are_not_supported(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="AWS::CloudFront::KeyValueStore"):
        read(
            tmp_path, f"{API}\n  Store: {{Type: AWS::CloudFront::KeyValueStore, Properties: {{}}}}"
        )
