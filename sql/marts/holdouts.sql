-- One row per task and name of a person frozen for its test; with a person all of its names and relatives are frozen.
-- The people of a dataset kept for external testing stand under the task `external:<dataset>`.
select distinct frozen.task, subjects.dataset, subjects.subject, subjects.subject_uid, subjects.split_group
from staging.frozen_subjects as frozen
join subjects as named on named.dataset = frozen.dataset and named.subject = frozen.subject
join subjects on subjects.split_group = named.split_group
