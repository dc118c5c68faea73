"""Compute which ways a packet finds through the network of a resolved stack.

A way is allowed by the groups of both ends and led by the route table of each subnet of its sender.
It is the ids of the resources that make it: what depends on the way depends on them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Self

from tests.support.cloudformation import Resource, Stack, references

ANYWHERE = "0.0.0.0/0"

type Way = frozenset[str]
type Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interface:
    """One end in the VPC: its subnets, of which any may be used, and its groups."""

    subnets: tuple[str, ...]
    groups: frozenset[str]

    @classmethod
    def of(cls, subnets: Any, groups: Any) -> Self:
        """Return the end with the subnets and groups that these values refer to."""
        return cls(tuple(sorted(references(subnets))), references(groups))


class Network:
    """The VPC of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def inside(self, sender: Interface, receiver: Interface, port: int) -> Way | None:
        """Return the way between two ends in the VPC, None if there is none."""
        leaving = self._rule("Egress", sender.groups, port, receiver)
        arriving = self._rule("Ingress", receiver.groups, port, sender)
        vpcs = {self._vpc(each) for each in (*sender.subnets, *receiver.subnets)}
        if leaving is None or arriving is None or len(vpcs) != 1:
            return None
        # Within a VPC, its local route leads to every subnet.
        return leaving | arriving | vpcs | {*sender.subnets, *receiver.subnets}

    def outside(self, sender: Interface, port: int) -> Way | None:
        """Return the way to a server of the internet, None if a subnet has none."""
        leaving = self._rule("Egress", sender.groups, port, None)
        ways = [self._out_of(each, sender, port) for each in sender.subnets]
        if leaving is None or not ways:
            return None
        found: Way = leaving
        for way in ways:
            if way is None:
                return None
            found |= way
        return found

    def endpoint(self, sender: Interface, service: str) -> Resource | None:
        """Return the gateway endpoint through which all subnets reach a service of AWS."""
        for each in self._stack.of("AWS::EC2::VPCEndpoint"):
            tables = references(each.get("RouteTableIds"))
            if each.get("ServiceName").endswith(f".{service}") and all(
                self._table(subnet) in tables for subnet in sender.subnets
            ):
                return each
        return None

    def _out_of(self, subnet: str, sender: Interface, port: int) -> Way | None:
        """Follow the default route of a private subnet to its NAT and to the internet."""
        led = self._default_route(subnet)
        if led is None:
            return None
        route, way = led
        for nat in self._targets(route, "NatGatewayId"):
            out = self._public(references(nat.get("SubnetId")))
            if nat.get("AllocationId") is not None and out is not None:
                return way | {nat.id} | out
        for nat in self._targets(route, "InstanceId"):
            out = self._through_instance(nat, sender, port)
            if out is not None:
                return way | {nat.id} | out
        return None

    def _through_instance(self, nat: Resource, sender: Interface, port: int) -> Way | None:
        (card,) = nat.get("NetworkInterfaces")
        end = Interface.of(card["SubnetId"], card["GroupSet"])
        arriving = self._rule("Ingress", end.groups, port, sender)
        leaving = self._rule("Egress", end.groups, port, None)
        out = self._public(frozenset(end.subnets))
        has_address = card.get("AssociatePublicIpAddress") is True
        # EC2 drops a packet that is neither from nor to the instance itself, unless told not to.
        forwards = nat.get("SourceDestCheck") is False
        if arriving is None or leaving is None or out is None or not (has_address and forwards):
            return None
        return arriving | leaving | out

    def _public(self, subnets: Iterable[str]) -> Way | None:
        """Return the way from public subnets through the gateway of their VPC."""
        found: Way = frozenset()
        for subnet in subnets:
            led = self._default_route(subnet)
            if led is None:
                return None
            route, way = led
            attached = [
                each
                for gateway in self._targets(route, "GatewayId")
                for each in self._stack.of("AWS::EC2::VPCGatewayAttachment")
                if gateway.id in references(each.get("InternetGatewayId"))
                and self._vpc(subnet) in references(each.get("VpcId"))
            ]
            if not attached:
                return None
            found |= way | {each.id for each in attached}
        return found

    def _default_route(self, subnet: str) -> tuple[Resource, Way] | None:
        table = self._table(subnet)
        for route in self._stack.of("AWS::EC2::Route"):
            is_default = route.get("DestinationCidrBlock") == ANYWHERE
            if is_default and table in references(route.get("RouteTableId")):
                return route, self._association(subnet) | {route.id, str(table)}
        return None

    def _table(self, subnet: str) -> str | None:
        for each in self._stack.of("AWS::EC2::SubnetRouteTableAssociation"):
            if subnet in references(each.get("SubnetId")):
                (table,) = references(each.get("RouteTableId"))
                return table
        return None

    def _association(self, subnet: str) -> Way:
        return frozenset(
            each.id
            for each in self._stack.of("AWS::EC2::SubnetRouteTableAssociation")
            if subnet in references(each.get("SubnetId"))
        )

    def _targets(self, route: Resource, name: str) -> Iterator[Resource]:
        for each in references(route.get(name)):
            if each in self._stack.resources:
                yield self._stack.resources[each]

    def _vpc(self, subnet: str) -> str:
        (vpc,) = references(self._stack.resources[subnet].get("VpcId"))
        return vpc

    def _rule(
        self, direction: str, groups: frozenset[str], port: int, other: Interface | None
    ) -> Way | None:
        """Return the first rule of the groups that allows the port from or to the other end.

        Without another end, it is one of the internet.
        """
        for owner, group, rule in self._rules(direction):
            if group in groups and _has_port(rule, port) and self._has_end(rule, other):
                return frozenset({owner, group})
        return None

    def _rules(self, direction: str) -> Iterator[tuple[str, str, Rule]]:
        """Yield each rule with the resource that makes it and its group."""
        for group in self._stack.of("AWS::EC2::SecurityGroup"):
            for rule in group.get(f"SecurityGroup{direction}", []):
                yield group.id, group.id, rule
        for each in self._stack.of(f"AWS::EC2::SecurityGroup{direction}"):
            (group_id,) = references(each.get("GroupId"))
            yield each.id, group_id, each.properties

    def _has_end(self, rule: Rule, other: Interface | None) -> bool:
        block = rule.get("CidrIp")
        if other is None:
            return block == ANYWHERE
        named = references(
            [rule.get("SourceSecurityGroupId"), rule.get("DestinationSecurityGroupId")]
        )
        if named & other.groups:
            return True
        return block is not None and all(
            IPv4Network(self._stack.resources[subnet].get("CidrBlock")).subnet_of(
                IPv4Network(block)
            )
            for subnet in other.subnets
        )


def _has_port(rule: Rule, port: int) -> bool:
    if str(rule["IpProtocol"]) == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and int(rule["FromPort"]) <= port <= int(rule["ToPort"])


def interface_of(stack: Stack, resource: Resource) -> Interface | None:
    """Return the end of a function, database, proxy or cache; None outside the VPC."""
    match resource.type:
        case "AWS::Lambda::Function":
            network = resource.get("VpcConfig")
            return network and Interface.of(network["SubnetIds"], network["SecurityGroupIds"])
        case "AWS::RDS::DBInstance":
            groups = resource.get("VPCSecurityGroups")
            return Interface.of(_subnets(stack, resource.get("DBSubnetGroupName")), groups)
        case "AWS::RDS::DBCluster":
            groups = resource.get("VpcSecurityGroupIds")
            return Interface.of(_subnets(stack, resource.get("DBSubnetGroupName")), groups)
        case "AWS::RDS::DBProxy":
            return Interface.of(resource.get("VpcSubnetIds"), resource.get("VpcSecurityGroupIds"))
        case "AWS::ElastiCache::ServerlessCache":
            return Interface.of(resource.get("SubnetIds"), resource.get("SecurityGroupIds"))
        case "AWS::ElastiCache::ReplicationGroup":
            subnets = _subnets(stack, resource.get("CacheSubnetGroupName"))
            return Interface.of(subnets, resource.get("SecurityGroupIds"))
        case _:
            raise ValueError(f"{resource} has no interface")


def _subnets(stack: Stack, group: Any) -> Any:
    resource = stack.resource_of(group)
    return None if resource is None else resource.get("SubnetIds")
