"""Edits of template.yaml that break or weaken a deployment; each replaces one text."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """An edit, and the test besides those of the template that it needs, if any."""

    title: str
    old: str
    new: str
    test: str = ""


CACHE_USER = "tests/integration/test_cache_user.py"
_WORKER_RULE = (
    '        - {Description: "Worker, within the rules of its group", IpProtocol: tcp, FromPort: 0,'
    " ToPort: 65535, SourceSecurityGroupId: !Ref WorkerSecurityGroup}\n"
)
_INSTANCE_B = (
    "      InstanceId: !If [HasSecondNatInstance, !Ref NatInstanceB,"
    ' !If [HasNatInstance, !Ref NatInstanceA, !Ref "AWS::NoValue"]]\n'
)
_PUBLIC_B = "Properties: {SubnetId: !Ref PublicSubnetB, RouteTableId: !Ref %s}"
_ATTACHMENT = "Type: AWS::EC2::VPCGatewayAttachment\n    Condition: %s\n"
_ADDRESS_A = (
    "SubnetId: !Ref PublicSubnetA, GroupSet: [!Ref NatSecurityGroup], AssociatePublicIpAddress: %s"
)
_TO_DATABASE = (
    "{Description: PostgreSQL, IpProtocol: tcp, FromPort: 5432, ToPort: 5432, GroupId: !Ref %s,"
    " DestinationSecurityGroupId: !Ref DatabaseSecurityGroup}"
)
_FROM_WORKER = (
    "{Description: Worker, IpProtocol: tcp, FromPort: 5432, ToPort: 5432, GroupId: !Ref %s,"
    " SourceSecurityGroupId: !Ref WorkerSecurityGroup}"
)
_TO_CACHE = (
    "{Description: Valkey, IpProtocol: tcp, FromPort: %s, ToPort: %s,"
    " GroupId: !Ref FunctionSecurityGroup, DestinationSecurityGroupId: !Ref CacheSecurityGroup}"
)
_HTTPS = '{Description: "HTTPS: AWS, plex.tv, TMDB", IpProtocol: tcp, FromPort: %s, ToPort: %s,'
_NO_ANSWER = "iptables -t nat -A POSTROUTING -s ${Vpc.CidrBlock} ! -d ${Vpc.CidrBlock}"
_AURORA = "          - {Name: DBInstanceIdentifier, Value: !Ref Database}\n"
_SWEEP = "!If [AuroraPauses, %s, %s]  # bells tell of jobs, also of later ones\n"
_DATABASE = "VPCSecurityGroups: [!Ref DatabaseSecurityGroup]\n      PubliclyAccessible: %s\n"
_KEYS = "*cache-policy, !Ref JwtSecretPolicy, %s!Ref BellPolicy, *origin-policy"
_ACCESS = "AccessString: on ~* +@all -@admin -@dangerous"

MUTATIONS = (
    # Alarms and budget.
    Mutation(
        "an alarm watches another stage",
        "{Name: Stage, Value: live}]}",
        "{Name: Stage, Value: prod}]}",
    ),
    Mutation(
        "an alarm has no dimension",
        "&worker-service [{Name: service, Value: worker}]",
        "&worker-service []",
    ),
    Mutation(
        "an alarm watches a metric that nobody writes",
        "MetricName: RateLimitFallback\n",
        "MetricName: RateLimitFallbacks\n",
    ),
    Mutation(
        "an alarm watches a service that does not write its metric",
        "&plex-service [{Name: service, Value: plex}]",
        "&plex-service [{Name: service, Value: page}]",
    ),
    Mutation(
        "an alarm has no actions",
        "for more than an hour\n      <<: *notify\n",
        "for more than an hour\n",
    ),
    Mutation(
        "few alarms leave out the database",
        "DatabaseLoadAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: HasDatabase",
        "DatabaseLoadAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: WatchesConnections",
    ),
    Mutation(
        "callers of a paused database hear that it is down",
        'DATABASE_PAUSES: !If [AuroraPauses, "true", "false"]',
        'DATABASE_PAUSES: !If [AuroraPauses, "false", "true"]',
    ),
    Mutation(
        "the migrations give up on a paused database",
        '&patient !If [AuroraPauses, "45", "3"]',
        '&patient !If [AuroraPauses, "3", "45"]',
    ),
    Mutation(
        "the topic of the alarms has no subscriber",
        "Subscription: [{Protocol: email, Endpoint: !Ref AlarmEmail}]",
        "Subscription: []",
    ),
    Mutation("an alarm never reaches its threshold", "Threshold: 3600\n", "Threshold: 36000000\n"),
    Mutation(
        "an alarm takes silence for health",
        "TreatMissingData: breaching\n",
        "TreatMissingData: notBreaching\n",
    ),
    Mutation(
        "an alarm watches the other database",
        _AURORA,
        _AURORA.replace("!Ref Database", "!Ref DatabaseParameters"),
    ),
    Mutation(
        "an alarm averages what it should add up",
        "MetricName: Throttles\n        Statistic: Sum",
        "MetricName: Throttles\n        Statistic: Average",
    ),
    Mutation(
        "an alarm compares the wrong way",
        "ComparisonOperator: LessThanThreshold\n      Threshold: 2147483648",
        "ComparisonOperator: GreaterThanThreshold\n      Threshold: 2147483648",
    ),
    Mutation(
        "the dashboard reads another namespace",
        '["MediaNest", "OldestDueJob"',
        '["Medianest", "OldestDueJob"',
    ),
    Mutation("the dashboard forgets a metric", " OR SessionEndNotCached", ""),
    Mutation("the budget tells too late", "Threshold: 80, Thr", "Threshold: 180, Thr"),
    Mutation(
        "a service level is never told",
        "NotificationType: FORECASTED, ComparisonOperator: GREATER_THAN",
        "NotificationType: FORECASTED, ComparisonOperator: LESS_THAN",
    ),
    # The network.
    Mutation(
        "a NAT drops what it should forward", "SourceDestCheck: false", "SourceDestCheck: true"
    ),
    Mutation("a NAT has no address", _ADDRESS_A % "true", _ADDRESS_A % "false"),
    Mutation("the NAT rejects the worker", _WORKER_RULE, ""),
    Mutation("zone B has no way out", _INSTANCE_B, ""),
    Mutation(
        "a NAT gateway is in a private subnet",
        "SubnetId: !Ref PublicSubnetA, AllocationId",
        "SubnetId: !Ref PrivateSubnetA, AllocationId",
    ),
    Mutation(
        "a public subnet has no way out", _PUBLIC_B % "PublicRoutes", _PUBLIC_B % "PrivateRoutesB"
    ),
    Mutation(
        "the internet gateway is not attached", _ATTACHMENT % "HasVpc", _ATTACHMENT % "HasFlowLogs"
    ),
    Mutation(
        "both subnets are in one zone",
        "&zone-b !If [HasZones, !Ref ZoneB, !Select [1, !GetAZs",
        "&zone-b !If [HasZones, !Ref ZoneB, !Select [0, !GetAZs",
    ),
    Mutation(
        "the zones of the parameters are not used",
        "&zone-a !If [HasZones, !Ref ZoneA",
        "&zone-a !If [HasVpc, !Ref ZoneA",
    ),
    Mutation("functions cannot call AWS", _HTTPS % (443, 443), _HTTPS % (80, 80)),
    Mutation("functions reach every port", _HTTPS % (443, 443), _HTTPS % (1, 65535)),
    Mutation(
        "functions do not reach the cache", _TO_CACHE % (6379, 6379), _TO_CACHE % (6380, 6380)
    ),
    Mutation(
        "functions do not reach the database",
        _TO_DATABASE % "FunctionSecurityGroup",
        _TO_DATABASE % "CacheSecurityGroup",
    ),
    Mutation(
        "the database rejects the worker",
        _FROM_WORKER % "DatabaseSecurityGroup",
        _FROM_WORKER % "CacheSecurityGroup",
    ),
    Mutation(
        "the endpoint of S3 refuses the answers of the migrations",
        "Action: s3:PutObject, Resource: !Sub",
        "Action: s3:GetObject, Resource: !Sub",
    ),
    Mutation("the migrations do not wait for the NAT", "          - !Ref PrivateRouteToNatB\n", ""),
    Mutation(
        "the migrations do not wait for their rule",
        '          - !If [HasDatabase, !Ref DatabaseFromFunctions, ""]\n',
        "",
    ),
    Mutation(
        "the NAT does not translate", f"{_NO_ANSWER} -j MASQUERADE", f"{_NO_ANSWER} -j ACCEPT"
    ),
    Mutation("the NAT does not forward", "net.ipv4.ip_forward=1", "net.ipv4.ip_forward=0"),
    Mutation("the NAT installs without swap", "            swapon /swapfile\n", ""),
    Mutation(
        "a broken NAT reports success", "cfn-signal --exit-code $?", "cfn-signal --exit-code 0"
    ),
    Mutation("hosts in the VPC have no names", "EnableDnsSupport: true", "EnableDnsSupport: false"),
    # Functions, permissions and schedules.
    Mutation("a permission is for another path", "${Api}/*/*/api/media*", "${Api}/*/*/api/medias*"),
    Mutation(
        "a permission is for paths of another function",
        "${Api}/*/*/api/auth/plex*",
        "${Api}/*/*/api/media*",
    ),
    Mutation(
        "a function may not read a secret of its variables",
        _KEYS % "!Ref TmdbSecretPolicy, ",
        _KEYS % "",
    ),
    Mutation(
        "a function may use every queue",
        "Action: sqs:SendMessage, Resource: !GetAtt BellQueue.Arn",
        'Action: sqs:SendMessage, Resource: "*"',
    ),
    Mutation(
        "a schedule has a task that nobody knows", '{"task": "sessions"}', '{"task": "session"}'
    ),
    Mutation(
        "a schedule keeps the database awake",
        _SWEEP % ('"cron(8 4 * * ? *)"', "rate(1 minute)"),
        _SWEEP % ("rate(1 minute)", '"cron(8 4 * * ? *)"'),
    ),
    Mutation(
        "a failed bell takes its batch along",
        "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
    ),
    Mutation(
        "a bell comes again while it rings", "VisibilityTimeout: 720", "VisibilityTimeout: 60"
    ),
    Mutation(
        "a new account cannot deploy the defaults",
        "  MediaConcurrency:\n    Type: Number\n    Default: 0",
        "  MediaConcurrency:\n    Type: Number\n    Default: 40",
    ),
    # Data.
    Mutation("the database is public", _DATABASE % "false", _DATABASE % "true"),
    Mutation("the database accepts plain text", 'rds.force_ssl: "1"', 'rds.force_ssl: "0"'),
    Mutation(
        "an Aurora never sleeps",
        "SecondsUntilAutoPause: !If [AuroraPauses, 600,",
        "SecondsUntilAutoPause: !If [HasReader, 600,",
    ),
    Mutation(
        "idle connections keep an Aurora awake",
        'idle_session_timeout: !If [HasProxy, "0", "310000"]',
        'idle_session_timeout: !If [HasProxy, "310000", "0"]',
    ),
    Mutation(
        "the cache user has another engine",
        "every client needs the password\n      Engine: valkey",
        "every client needs the password\n      Engine: redis",
    ),
    Mutation("the cache user may run no scripts", _ACCESS, f"{_ACCESS} -@scripting", CACHE_USER),
    Mutation("the cache user may administer", _ACCESS, "AccessString: on ~* +@all", CACHE_USER),
    Mutation(
        "the cache has no TLS", "TransitEncryptionEnabled: true", "TransitEncryptionEnabled: false"
    ),
    # In front.
    Mutation(
        "the firewall of the API is not associated",
        "Type: AWS::WAFv2::WebACLAssociation\n    Condition: HasApiWaf",
        "Type: AWS::WAFv2::WebACLAssociation\n    Condition: HasPageWaf",
    ),
    Mutation(
        "the firewall of the page is not associated",
        'WebACLId: !If [HasPageWaf, !GetAtt WebAcl.Arn, !Ref "AWS::NoValue"]',
        'WebACLId: !Ref "AWS::NoValue"',
    ),
    Mutation(
        "a condition is the wrong way round",
        "HasApiWaf: !And [!Condition HasWaf, !Not [!Condition HasPageWaf]]",
        "HasApiWaf: !And [!Condition HasWaf, !Condition HasPageWaf]",
    ),
    Mutation(
        "the domain of the API can be bypassed",
        "DisableExecuteApiEndpoint: !If [HasApiDomain, true, false]",
        "DisableExecuteApiEndpoint: false",
    ),
    Mutation(
        "a token goes out over plain HTTP",
        "ViewerProtocolPolicy: https-only",
        "ViewerProtocolPolicy: allow-all",
    ),
    Mutation(
        "the bucket of the page is public", "BlockPublicPolicy: true", "BlockPublicPolicy: false"
    ),
    # Without a cache.
    Mutation(
        "the functions look for a cache that the stack does not have",
        "!If [HasNoCache, none, !Ref RedisUrlSecretArn]",
        "!Ref RedisUrlSecretArn",
    ),
    Mutation(
        "an alarm watches a cache that the stack does not have",
        "CacheMediaAlarm: {Type: AWS::CloudWatch::Alarm, Condition: UsesCache, ",
        "CacheMediaAlarm: {Type: AWS::CloudWatch::Alarm, ",
    ),
    Mutation(
        "the functions of a stack without a cache reach any port",
        "HasExternalPart: !Or [!Not [!Condition HasDatabase], !Equals [!Ref CacheMode, external]]",
        "HasExternalPart: !Not [!And [!Condition HasDatabase, !Condition HasCache]]",
    ),
    # Secrets in Parameter Store.
    Mutation(
        "functions lose their secrets before the new ones exist",
        "parameter${StoredSecrets}/encryption-key",
        "parameter/medianest/${AWS::StackName}/encryption-key",
    ),
    Mutation(
        "the NAT may read the parameters of the account",
        'Statement: [{Effect: Deny, Action: "ssm:GetParameter*", Resource: "*"}]',
        'Statement: [{Effect: Deny, Action: "ssm:PutParameter*", Resource: "*"}]',
    ),
    Mutation(
        "the function for secrets may write the parameters of other stacks",
        ":parameter/medianest/${AWS::StackName}/*",
        ":parameter/medianest/*",
    ),
    Mutation(
        "a secret that a function reads is never generated",
        "Generated: [!If [HasOwnJwtKey, jwt-secret",
        "Generated: [!If [HasJwtSecret, jwt-secret",
    ),
    Mutation(
        "CloudFront sends no secret",
        "!If [StoresParameters, !GetAtt StoredSecrets.OriginVerify,",
        "!If [StoresParameters, !Ref StoredSecrets,",
    ),
    Mutation(
        "the rotation may be called for another secret",
        "SourceArn: !GetAtt JwtSecret.Id",
        "SourceArn: !GetAtt EncryptionKey.Id",
    ),
    Mutation(
        "functions may create log groups, which outlive the stack",
        "Action: &log-actions [logs:CreateLogStream,",
        "Action: &log-actions [logs:CreateLogGroup, logs:CreateLogStream,",
    ),
    Mutation(
        "a log group is created for a function that is not",
        "  PageLogs: {<<: *log-group, Metadata: *log-checks, Condition: HasPage,",
        "  PageLogs: {<<: *log-group, Metadata: *log-checks,",
    ),
    Mutation(
        "both public subnets are in one zone",
        "AvailabilityZone: *zone-b, CidrBlock: 10.71.129.0/24",
        "AvailabilityZone: *zone-a, CidrBlock: 10.71.129.0/24",
    ),
    Mutation(
        "both NAT gateways are in one zone",
        "Properties: {SubnetId: !Ref PublicSubnetB, AllocationId: !GetAtt NatAddressB.AllocationId",
        "Properties: {SubnetId: !Ref PublicSubnetA, AllocationId: !GetAtt NatAddressB.AllocationId",
    ),
    Mutation(
        "the NAT's image is for another processor",
        "al2023-ami-kernel-default-arm64}}",
        "al2023-ami-kernel-default-x86_64}}",
    ),
    Mutation(
        "the NAT never runs the kernel that it installs",
        "ExecStartPost=/usr/bin/systemctl reboot",
        "ExecStartPost=/usr/bin/true",
    ),
    Mutation(
        "the NAT restarts while the daily schedules need it",
        "OnCalendar=${Day} 02:00 UTC",
        "OnCalendar=${Day} 04:00 UTC",
    ),
    Mutation(
        "a call waits for the proxy until API Gateway gives up",
        "ConnectionBorrowTimeout: 3}",
        "ConnectionBorrowTimeout: 120}",
    ),
    Mutation(
        "dead letters expire before somebody reads them",
        "is itself the dead-letter queue\n    Properties:\n      MessageRetentionPeriod: 1209600\n"
        "      SqsManagedSseEnabled: true\n\n  # Bells",
        "is itself the dead-letter queue\n    Properties:\n      MessageRetentionPeriod: 60\n"
        "      SqsManagedSseEnabled: true\n\n  # Bells",
    ),
)
