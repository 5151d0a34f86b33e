from braindino.datasets.agreed import Agreed


def test_repeats_agree_and_contradictions_leave_nothing():
    ages = Agreed()
    for who, age in (("a", 30), ("b", 40), ("a", 30), ("b", 41)):
        ages.add(who, age)
    assert ages.facts() == {"a": 30}
    assert ages.disputed() == ["b"]
    assert ages.notes("The age") == ["The age is stated with different values and was left out for b."]
    assert Agreed().notes("The age") == []
