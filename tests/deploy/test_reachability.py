"""Each function reaches what its variables and its code name, in every deployment variant.

The ways are computed from routes, groups and gateways (tests/support/reachability.py); what a
function needs comes from its variables and from the modules that it imports.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_hardening import environment
from tests.support.cloudformation import Resource, Stack, references, template
from tests.support.importers import functions_with
from tests.support.reachability import Interface, Network, Way, interface_of
from tests.support.stacks import all_stacks, for_every_variant

HTTPS, POSTGRESQL, VALKEY = 443, 5432, 6379
# Radarr, Sonarr, Plex, and any other port that needs no privilege.
SERVER_PORTS = (7878, 8989, 32400, 65535)
# An answer to CloudFormation: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-customresource-vpc.html
ANSWERS = "arn:aws:s3:::cloudformation-custom-resource-response-*/*"
FORWARDING = "net.ipv4.ip_forward=1"


def in_vpc(stack: Stack) -> Iterator[tuple[Resource, Interface]]:
    """Yield the functions in the VPC."""
    for function in stack.of("AWS::Lambda::Function"):
        if (end := interface_of(stack, function)) is not None:
            yield function, end


def server(stack: Stack, function: Resource, name: str) -> Resource | None:
    """Return the server of the stack that a variable with a host names."""
    host = environment(function).get(name)
    return None if host is None else stack.resource_of(host)


def way_to(stack: Stack, sender: Interface, receiver: Resource, port: int) -> Way | None:
    end = interface_of(stack, receiver)
    assert end is not None
    return Network(stack).inside(sender, end, port)


def has_external_part(stack: Stack) -> bool:
    return "external" in {stack.parameters["DatabaseMode"], stack.parameters["CacheMode"]}


@for_every_variant
def test_functions_are_in_the_vpc_exactly_if_the_stack_has_a_server_for_them(stack: Stack) -> None:
    inside = {function.id for function, _ in in_vpc(stack)}
    needing = {
        each.id
        for each in stack.of("AWS::Lambda::Function")
        if {"DATABASE_URL", "REDIS_URL"} & environment(each).keys()
    }
    assert inside == (needing if stack.of("AWS::EC2::VPC") else set())


@for_every_variant
def test_each_function_reaches_its_database(stack: Stack) -> None:
    for function, end in in_vpc(stack):
        database = server(stack, function, "DATABASE_HOST")
        assert (database is None) == (stack.parameters["DatabaseMode"] == "external"), function
        if database is None:
            continue
        # The proxy knows the application's user only.
        is_proxied = stack.parameters["DatabaseProxy"] == "true"
        through_proxy = is_proxied and function.id != "MigrationsFunction"
        assert (database.type == "AWS::RDS::DBProxy") == through_proxy, function
        assert way_to(stack, end, database, POSTGRESQL), function


@for_every_variant
def test_the_proxy_reaches_the_database_that_it_is_for(stack: Stack) -> None:
    for targets in stack.of("AWS::RDS::DBProxyTargetGroup"):
        proxy = stack.resource_of(targets.get("DBProxyName"))
        named = [targets.get("DBInstanceIdentifiers"), targets.get("DBClusterIdentifiers")]
        database = stack.resource_of(named)
        assert proxy is not None
        assert database is not None
        end = interface_of(stack, proxy)
        assert end is not None
        assert way_to(stack, end, database, POSTGRESQL)


@for_every_variant
def test_each_function_with_a_cache_reaches_it(stack: Stack) -> None:
    for function, end in in_vpc(stack):
        cache = server(stack, function, "REDIS_HOST")
        has_cache = stack.parameters["CacheMode"] in {"serverless", "node"}
        assert (cache is not None) == (has_cache and "REDIS_URL" in environment(function)), function
        assert cache is None or way_to(stack, end, cache, VALKEY), function


@for_every_variant
def test_each_function_reaches_https_from_both_zones(stack: Stack) -> None:
    # AWS for secrets and bells, plex.tv, TMDB.
    for function, end in in_vpc(stack):
        assert len(end.subnets) == 2, function
        assert Network(stack).outside(end, HTTPS), function


@for_every_variant
def test_only_functions_that_call_servers_reach_other_ports_of_the_internet(stack: Stack) -> None:
    for function, end in in_vpc(stack):
        expected = function.id in functions_with("medianest.arr.client") or has_external_part(stack)
        for port in SERVER_PORTS:
            found = Network(stack).outside(end, port) is not None
            assert found == expected, (function, port)
        assert Network(stack).outside(end, 25) is None, function


@for_every_variant
def test_the_migrations_wait_for_every_way_that_they_need(stack: Stack) -> None:
    known = {each.id: end for each, end in in_vpc(stack)}
    if "MigrationsFunction" not in known:
        return
    end = known["MigrationsFunction"]
    network, waited = Network(stack), stack.dependencies_of(stack.resources["Migrations"])
    ways = [network.outside(end, HTTPS)]
    database = server(stack, stack.resources["MigrationsFunction"], "DATABASE_HOST")
    if database is not None:
        ways.append(way_to(stack, end, database, POSTGRESQL))
    for way in ways:
        assert way is not None
        assert way - waited == set()
    # A cluster accepts no connection before it has an instance.
    writers = {each.id for each in stack.of("AWS::RDS::DBInstance") if "Reader" not in each.id}
    assert writers - waited == set()


@for_every_variant
def test_custom_resources_can_answer_cloudformation(stack: Stack) -> None:
    inside = dict.fromkeys(function.id for function, _ in in_vpc(stack))
    for each in stack.resources.values():
        function = stack.resource_of(each.get("ServiceToken")) if each.get("ServiceToken") else None
        if function is None or function.id not in inside:
            continue
        end = interface_of(stack, function)
        assert end is not None
        endpoint = Network(stack).endpoint(end, "s3")
        if endpoint is not None:
            # All calls of S3 in the region go through the endpoint, so its policy decides.
            statements = endpoint.get("PolicyDocument.Statement")
            assert {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": ANSWERS,
            } in statements
            assert endpoint.id in stack.dependencies_of(each)
        assert Network(stack).outside(end, HTTPS)


def nats_of_subnets(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield each subnet with a NAT, and the subnet of that NAT."""
    for association in stack.of("AWS::EC2::SubnetRouteTableAssociation"):
        for route in stack.of("AWS::EC2::Route"):
            nat = stack.resource_of(route.get("NatGatewayId") or route.get("InstanceId"))
            if route.get("RouteTableId") == association.get("RouteTableId") and nat is not None:
                own = nat.get("SubnetId") or nat.get("NetworkInterfaces")[0]["SubnetId"]
                yield association.get("SubnetId")["Ref"], own["Ref"]


@for_every_variant
def test_the_zones_are_two_and_each_nat_is_in_the_zone_that_it_serves(stack: Stack) -> None:
    def zone(subnet: str) -> str:
        return json.dumps(stack.resources[subnet].get("AvailabilityZone"))

    chosen = {json.dumps(stack.parameters[each]) for each in ("ZoneA", "ZoneB")} - {'""'}
    for _, end in in_vpc(stack):
        zones = {zone(each) for each in end.subnets}
        assert len(zones) == 2
        assert json.dumps("") not in zones
        assert not chosen or zones == chosen
    routes = [each for each in stack.of("AWS::EC2::Route") if not each.get("GatewayId")]
    nats = {
        str(each.get(kind))
        for each in routes
        for kind in ("NatGatewayId", "InstanceId")
        if each.get(kind)
    }
    if stack.of("AWS::EC2::VPC"):
        has_two = stack.parameters["NatPerAz"] == "true"
        assert len(nats) == (2 if has_two else 1)
        if has_two:
            for subnet, nat in nats_of_subnets(stack):
                assert zone(subnet) == zone(nat), (subnet, nat)
    for vpc in stack.of("AWS::EC2::VPC"):
        # Without these, no host of a server in the VPC has an address.
        assert vpc.get("EnableDnsSupport") is True
        assert vpc.get("EnableDnsHostnames") is True


class TestNatInstance:
    """The script of a NAT instance, run with stand-ins for the commands of Amazon Linux."""

    COMMANDS = (
        *("dd", "mkswap", "swapon", "chmod", "dnf", "sysctl", "iptables", "iptables-save"),
        *("systemctl", "cfn-signal"),
    )

    def script(self, folder: Path) -> str:
        instance, second = all_stacks()["hobby and a NAT for each zone"].of("AWS::EC2::Instance")
        # Two that restart at the same time would leave no way out.
        scripts = [json.dumps(each.get("UserData")) for each in (instance, second)]
        assert "OnCalendar=Sun" in scripts[0]
        assert "OnCalendar=Wed" in scripts[1]
        text: str = instance.get("UserData")["Fn::Base64"]["Fn::Sub"]
        text = text.replace("${Vpc.CidrBlock}", "10.71.0.0/16")
        assert "${" not in text
        return re.sub(r"(?<=[ '>])/(?=(etc|swapfile|opt)\b)", f"{folder}/", text)

    def run(self, folder: Path, *, fails: str = "") -> list[str]:
        """Run the script with its files below a folder; return the commands that it ran."""
        commands = folder / "opt/aws/bin"
        for each in (commands, folder / "etc/sysctl.d", folder / "etc/sysconfig"):
            each.mkdir(parents=True)
        (folder / "etc/systemd/system").mkdir(parents=True)
        for name in self.COMMANDS:
            path = commands / name
            status = 1 if name == fails else 0
            path.write_text(f'#!/bin/sh\necho {name} "$@" >> {folder}/ran\nexit {status}\n')
            path.chmod(0o755)
        subprocess.run(
            ["bash", "-c", self.script(folder)],
            env={"PATH": f"{commands}:/usr/bin:/bin"},
            capture_output=True,
            timeout=20,
            check=False,
        )
        return (folder / "ran").read_text().splitlines()

    def test_it_forwards_with_its_own_address_and_tells_the_stack(self, tmp_path: Path) -> None:
        ran = self.run(tmp_path)
        network = "10.71.0.0/16"
        assert f"iptables -t nat -A POSTROUTING -s {network} ! -d {network} -j MASQUERADE" in ran
        assert (tmp_path / "etc/sysctl.d/90-nat.conf").read_text().strip() == FORWARDING
        assert ran.index("sysctl --system") < len(ran) - 1
        assert "systemctl enable --now iptables" in ran
        assert ran[-1].startswith("cfn-signal --exit-code 0 --stack medianest --resource Nat")

    def test_it_has_swap_before_it_installs(self, tmp_path: Path) -> None:
        ran = self.run(tmp_path)
        (swap,) = [place for place, each in enumerate(ran) if each.startswith("swapon ")]
        (first, *_) = [place for place, each in enumerate(ran) if each.startswith("dnf ")]
        assert swap < first
        assert "/swapfile none swap" in (tmp_path / "etc/fstab").read_text()

    def test_it_updates_itself_every_week(self, tmp_path: Path) -> None:
        ran = self.run(tmp_path)
        units = tmp_path / "etc/systemd/system"
        service = (units / "update.service").read_text()
        assert "ExecStart=/usr/bin/dnf upgrade" in service
        # Only a restart runs the new kernel.
        assert "ExecStartPost=/usr/bin/systemctl reboot" in service
        assert "OnCalendar=Sun" in (units / "update.timer").read_text()
        assert "systemctl enable --now update.timer" in ran

    def test_it_restarts_while_no_schedule_runs(self) -> None:
        for name in ("hobby and a NAT for each zone", "aurora, no cache, nat-instance"):
            stack = all_stacks()[name]
            for instance in stack.of("AWS::EC2::Instance"):
                script = json.dumps(instance.get("UserData"))
                ((hour, minute),) = re.findall(r"OnCalendar=\S+ (\d\d):(\d\d) UTC", script)
                restart = int(hour) * 60 + int(minute)
                for schedule in stack.of("AWS::Scheduler::Schedule"):
                    daily = re.match(r"cron\((\d+) (\d+) ", schedule.get("ScheduleExpression"))
                    if daily:
                        # It takes some minutes; a schedule that starts late still comes through.
                        assert abs(int(daily[2]) * 60 + int(daily[1]) - restart) >= 60, schedule

    def test_its_image_is_for_its_processor(self) -> None:
        allowed = template()["Parameters"]["NatInstanceType"]["AllowedValues"]
        assert all(each.startswith("t4g.") for each in allowed)
        for instance in all_stacks()["hobby and a NAT for each zone"].of("AWS::EC2::Instance"):
            assert instance.get("ImageId").endswith("-arm64}}")

    @pytest.mark.parametrize("command", ["dnf", "swapon", "sysctl", "iptables", "systemctl"])
    def test_a_failure_fails_the_deployment(self, tmp_path: Path, command: str) -> None:
        ran = self.run(tmp_path, fails=command)
        assert ran[-1].startswith("cfn-signal --exit-code 1 ")

    def test_the_stack_waits_for_it(self) -> None:
        for instance in all_stacks()["hobby and a NAT for each zone"].of("AWS::EC2::Instance"):
            assert "ResourceSignal" in instance.attributes["CreationPolicy"], instance
            script = json.dumps(instance.get("UserData"))
            assert f"--resource {instance.id} " in script
            assert references(instance.get("IamInstanceProfile")), instance
