"""The password policy, and the password hash."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from medianest.signin import passwords

VALID = "Sunset-Garden-42"
TOO_SHORT = "Use at least 8 characters"
TOO_LONG = "Use at most 128 characters"
NO_UPPER = "Use an upper-case letter"
NO_LOWER = "Use a lower-case letter"
NO_DIGIT = "Use a digit"
NO_SPECIAL = "Use a character that is neither a letter nor a digit"
COMMON = "Too close to a commonly used password"
SIMILAR = "Too similar to the user name or e-mail address"
# Padding with which a common password has a digit and a special character.
PADDINGS = ("{}1!", "{}9#", "{}2024!", "1!{}", "{}@1", "!{}7")


def weaknesses(password: str, username: str = "erin", email: str = "ed@example.org") -> list[str]:
    return passwords.weaknesses(password, username=username, email=email)


class TestPasswordPolicy:
    @pytest.mark.parametrize(
        "password",
        [
            VALID,
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
    def test_a_strong_password_is_accepted(self, password: str) -> None:
        assert weaknesses(password) == []

    @pytest.mark.parametrize(
        ("password", "broken"),
        [
            ("kV7#mQ2", TOO_SHORT),
            ("kV7#mQ2x" * 16 + "y", TOO_LONG),
            (VALID.lower(), NO_UPPER),
            (VALID.upper(), NO_LOWER),
            ("Sunset-Garden-Lake", NO_DIGIT),
            ("SunsetGarden42", NO_SPECIAL),
            ("GrünStraße7", NO_SPECIAL),
        ],
    )
    def test_each_rule_is_checked_separately(self, password: str, broken: str) -> None:
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

    def test_a_common_password_with_padding_is_refused(self) -> None:
        padded = [
            padding.format(word.capitalize())
            for word in FREQUENCY_LISTS["passwords"][:3000]
            for padding in PADDINGS
        ]
        broken = {password: weaknesses(password, "", "") for password in padded}
        with_letters = {
            password: rules
            for password, rules in broken.items()
            if not {TOO_SHORT, NO_UPPER, NO_LOWER} & set(rules)
        }
        assert len(with_letters) > 10_000
        assert [password for password, rules in with_letters.items() if rules != [COMMON]] == []

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
    def test_a_password_similar_to_user_name_or_email_is_refused(
        self, password: str, username: str, email: str
    ) -> None:
        assert weaknesses(password, username, email) == [SIMILAR]
        assert weaknesses(password, "other", "else@example.net") == []

    def test_a_password_may_contain_a_short_user_name(self) -> None:
        assert weaknesses(VALID, "ar", "de@example.org") == []

    def test_the_longest_inputs_are_checked_quickly(self) -> None:
        # The estimate of zxcvbn, which the policy does not use, takes seconds for such a password.
        substitutions = "4@({[<691!|17$5+78302%zA" * 5 + "xxxxxxxx"
        assert weaknesses(substitutions, "a" * 100, "b" * 250 + "@x.y") == []


class TestPasswordHash:
    def test_a_hash_is_argon2id_with_the_parameters_of_owasp(self) -> None:
        assert passwords.hash_password(VALID).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_two_hashes_of_one_password_differ(self) -> None:
        assert passwords.hash_password(VALID) != passwords.hash_password(VALID)

    def test_a_hash_verifies_its_password_and_no_other(self) -> None:
        stored_hash = passwords.hash_password(VALID)
        assert passwords.verify(VALID, stored_hash)
        for other in (VALID.lower(), VALID + " ", VALID[:-1], ""):
            assert not passwords.verify(other, stored_hash)

    @pytest.mark.parametrize("length", [72, 73, 128])
    def test_a_long_password_is_not_truncated(self, length: int) -> None:
        start = "ü" * (length - 1)
        stored_hash = passwords.hash_password(start + "a")
        assert passwords.verify(start + "a", stored_hash)
        assert not passwords.verify(start + "b", stored_hash)

    def test_unicode_passwords_are_distinguished(self) -> None:
        stored_hash = passwords.hash_password("Zażółć-😀-7")
        assert passwords.verify("Zażółć-😀-7", stored_hash)
        assert not passwords.verify("Zazolc-😀-7", stored_hash)
        assert not passwords.verify("Zażółć-?-7", stored_hash)

    def test_composed_and_decomposed_letters_are_equal(self) -> None:
        composed, decomposed = (
            unicodedata.normalize(form, "Zażółć-É-7") for form in ("NFC", "NFD")
        )
        assert composed != decomposed
        assert passwords.verify(composed, passwords.hash_password(decomposed))
        assert passwords.verify(decomposed, passwords.hash_password(composed))
        assert passwords.is_same(composed, decomposed)
        assert not passwords.is_same(composed, composed.lower())

    def test_no_password_is_valid_for_an_unknown_account(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored_hash = passwords.hash_password(VALID)
        monkeypatch.setattr(passwords, "UNKNOWN_ACCOUNT_HASH", stored_hash)
        assert not passwords.verify(VALID, None)
        assert passwords.verify(VALID, stored_hash)

    def test_the_hash_of_unknown_accounts_has_the_current_parameters(self) -> None:
        assert not passwords.is_outdated(passwords.UNKNOWN_ACCOUNT_HASH)

    @pytest.mark.parametrize("parameters", ["m=65536,t=3,p=4", "m=19456,t=1,p=1", "m=8192,t=2,p=1"])
    def test_a_hash_of_other_parameters_is_outdated(self, parameters: str) -> None:
        current = passwords.hash_password(VALID)
        assert not passwords.is_outdated(current)
        assert passwords.is_outdated(current.replace("m=19456,t=2,p=1", parameters))


@given(st.text(max_size=130), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_accepted_or_refused_without_an_error(
    password: str, username: str, email: str
) -> None:
    broken = passwords.weaknesses(password, username=username, email=email)
    assert (TOO_SHORT in broken) == (len(unicodedata.normalize("NFC", password)) < 8)
