import pytest

from braindino.errors import ConfigError
from braindino.evaluation import FLOORS, TASKS, Task, get_task


def test_an_unknown_task_names_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'diagnosys'.*age, contrast, diagnosis.*did you mean diagnosis"):
        get_task("diagnosys")
    assert get_task("age").metrics == ("mae", "r2")
    assert get_task("sex").metrics == ("auc", "balanced_accuracy")


def test_a_label_row_states_a_target_or_none() -> None:
    assert TASKS["age"].target(None, 61) == 61.0
    assert TASKS["age"].target("61 years") is None
    assert TASKS["age"].target(None, float("nan")) is None
    assert TASKS["diagnosis"].target("AD") == "AD"
    assert TASKS["diagnosis"].target("") is None
    assert TASKS["lesion"].target(None, 1.0) == "1"
    ad_or_not = Task("ad", "diagnosis", "classification", "AD against CN", classes=("AD", "CN"))
    assert [ad_or_not.target(value) for value in ("AD", "MCI", "CN")] == ["AD", None, "CN"]


def test_a_floor_is_never_given_the_target_itself() -> None:
    assert TASKS["age"].floors_exclude == ("age",)
    assert TASKS["sex"].floors_exclude == ("sex",)
    columns = {column for floor in FLOORS.values() for column in (*floor.numbers, *floor.categories)}
    for task in TASKS.values():
        if task.label in columns:
            assert task.label in task.floors_exclude
