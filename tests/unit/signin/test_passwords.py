"""The password policy, and the password hash."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from medianest.signin import passwords

GOOD = "Sunset-Garden-42"
TOO_SHORT = "Use at least 8 characters"
TOO_LONG = "Use at most 128 characters"
NO_UPPER = "Use an upper-case letter"
NO_LOWER = "Use a lower-case letter"
NO_DIGIT = "Use a digit"
NO_SPECIAL = "Use a character that is neither a letter nor a digit"
COMMON = "Too close to a commonly used password"
SIMILAR = "Too similar to the user name or e-mail address"
# Additions to a common password that satisfy rules about character classes.
DECORATIONS = ("{}1!", "{}9#", "{}2024!", "1!{}", "{}@1", "!{}7")


def weaknesses(password: str, username: str = "erin", email: str = "ed@example.org") -> list[str]:
    return passwords.weaknesses(password, username=username, email=email)


class TestPasswordPolicy:
    @pytest.mark.parametrize(
        "password",
        [
            GOOD,
            "kV7#mQ2x",
            "Correct-Horse-7-Battery",
            "xK9 mQ2 vL",
            "Grün-Straße-7",
            "Закат-Сад-42",
            "Zażółć-Gęślą-7",
            "kV7mQ2x😀",
            "kV7#mQ2x" * 8,
            "kV7#mQ2x" * 16,
        ],
    )
    def test_a_good_password_is_accepted(self, password: str) -> None:
        assert weaknesses(password) == []

    @pytest.mark.parametrize(
        ("password", "broken"),
        [
            ("kV7#mQ2", TOO_SHORT),
            ("kV7#mQ2x" * 16 + "y", TOO_LONG),
            (GOOD.lower(), NO_UPPER),
            (GOOD.upper(), NO_LOWER),
            ("Sunset-Garden-Lake", NO_DIGIT),
            ("SunsetGarden42", NO_SPECIAL),
            ("GrünStraße7", NO_SPECIAL),
        ],
    )
    def test_each_rule_is_checked_by_itself(self, password: str, broken: str) -> None:
        assert weaknesses(password) == [broken]

    def test_all_broken_rules_are_reported_at_once(self) -> None:
        assert weaknesses("") == [TOO_SHORT, NO_UPPER, NO_LOWER, NO_DIGIT, NO_SPECIAL]
        assert weaknesses("erin") == [TOO_SHORT, NO_UPPER, NO_DIGIT, NO_SPECIAL, SIMILAR]
        assert weaknesses("password") == [NO_UPPER, NO_DIGIT, NO_SPECIAL, COMMON]

    @pytest.mark.parametrize(
        "password",
        [
            "Password1!",
            "P@ssw0rd!",
            "pA$$w0rD1",
            "Qwerty123!",
            "1qaz@WSX",
            "!QAZ2wsx",
            "Letmein123!",
            "Summer2024!",
            "Dragon#99",
            "Aa123456!",
            "!1Princess",
            "We1come!9",
            "Sunsh1ne!",
            "Trustno1!",
        ],
    )
    def test_a_common_password_is_refused(self, password: str) -> None:
        assert weaknesses(password) == [COMMON]

    def test_a_common_password_padded_to_the_rules_is_refused(self) -> None:
        made = [
            form.format(word.capitalize())
            for word in FREQUENCY_LISTS["passwords"][:3000]
            for form in DECORATIONS
        ]
        broken = {password: weaknesses(password, "", "") for password in made}
        fitting = {
            password: rules
            for password, rules in broken.items()
            if not {TOO_SHORT, NO_UPPER, NO_LOWER} & set(rules)
        }
        assert len(fitting) > 10_000
        assert [password for password, rules in fitting.items() if rules != [COMMON]] == []

    @pytest.mark.parametrize(
        ("password", "username", "email"),
        [
            ("Alice-Smith-42", "alice.smith", "x@example.org"),
            ("4lic3.Sm1th!X", "alice.smith", "x@example.org"),
            ("My-ALICE-42-x", "alice", "x@example.org"),
            ("Kv-bob-77-Qx", "bob", "x@example.org"),
            ("Wonder.Land-42", "someone", "wonder.land@example.org"),
            ("Wonder.Land@Example.Org7", "someone", "wonder.land@example.org"),
            ("Brzeczyszczykow7!", "brzeczyszczykiew99", "x@example.org"),
            ("Łukasz-Nowak-7", "łukasz", "x@example.org"),
        ],
    )
    def test_a_password_similar_to_name_or_address_is_refused(
        self, password: str, username: str, email: str
    ) -> None:
        assert weaknesses(password, username, email) == [SIMILAR]
        assert weaknesses(password, "other", "else@example.net") == []

    def test_a_short_name_within_a_password_is_allowed(self) -> None:
        assert weaknesses(GOOD, "ar", "de@example.org") == []

    def test_the_longest_inputs_are_checked_quickly(self) -> None:
        # zxcvbn takes seconds for a long password of substituted characters.
        substitutions = "4@({[<691!|17$5+78302%zA" * 5 + "xxxxxxxx"
        assert weaknesses(substitutions, "a" * 100, "b" * 250 + "@x.y") == []


class TestPasswordHash:
    def test_a_hash_is_argon2id_of_owasps_strength(self) -> None:
        assert passwords.hash_password(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_two_hashes_of_one_password_differ(self) -> None:
        assert passwords.hash_password(GOOD) != passwords.hash_password(GOOD)

    def test_a_hash_verifies_its_password_and_no_other(self) -> None:
        kept = passwords.hash_password(GOOD)
        assert passwords.verify(GOOD, kept)
        for other in (GOOD.lower(), GOOD + " ", GOOD[:-1], ""):
            assert not passwords.verify(other, kept)

    @pytest.mark.parametrize("length", [72, 73, 128])
    def test_no_character_of_a_long_password_is_cut_off(self, length: int) -> None:
        start = "ü" * (length - 1)
        kept = passwords.hash_password(start + "a")
        assert passwords.verify(start + "a", kept)
        assert not passwords.verify(start + "b", kept)

    def test_unicode_passwords_are_distinguished(self) -> None:
        kept = passwords.hash_password("Zażółć-😀-7")
        assert passwords.verify("Zażółć-😀-7", kept)
        assert not passwords.verify("Zazolc-😀-7", kept)
        assert not passwords.verify("Zażółć-?-7", kept)

    def test_composed_and_decomposed_letters_are_equal(self) -> None:
        one, two = (unicodedata.normalize(form, "Zażółć-É-7") for form in ("NFC", "NFD"))
        assert one != two
        assert passwords.verify(one, passwords.hash_password(two))
        assert passwords.verify(two, passwords.hash_password(one))
        assert passwords.is_same(one, two)
        assert not passwords.is_same(one, one.lower())

    def test_an_unknown_account_has_no_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = passwords.hash_password(GOOD)
        monkeypatch.setattr(passwords, "UNKNOWN_ACCOUNT_HASH", kept)
        assert not passwords.verify(GOOD, None)
        assert passwords.verify(GOOD, kept)

    def test_an_unknown_account_costs_what_a_known_one_does(self) -> None:
        assert not passwords.is_outdated(passwords.UNKNOWN_ACCOUNT_HASH)

    @pytest.mark.parametrize("parameters", ["m=65536,t=3,p=4", "m=19456,t=1,p=1", "m=8192,t=2,p=1"])
    def test_a_hash_of_other_parameters_is_outdated(self, parameters: str) -> None:
        today = passwords.hash_password(GOOD)
        assert not passwords.is_outdated(today)
        assert passwords.is_outdated(today.replace("m=19456,t=2,p=1", parameters))


@given(st.text(max_size=130), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_accepted_or_refused_without_an_exception(
    password: str, username: str, email: str
) -> None:
    broken = passwords.weaknesses(password, username=username, email=email)
    assert (TOO_SHORT in broken) == (len(unicodedata.normalize("NFC", password)) < 8)
