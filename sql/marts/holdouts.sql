-- One row per task and name of a person frozen for its test; all names of that person are frozen with the first.
select distinct frozen.task, subjects.dataset, subjects.subject, subjects.subject_uid
from staging.stg_holdouts as frozen
join subjects as named on named.dataset = frozen.dataset and named.subject = frozen.subject
join subjects on subjects.subject_uid = named.subject_uid
