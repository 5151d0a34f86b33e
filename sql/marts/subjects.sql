-- One row per name of a person in a dataset; all names of one person share `subject_uid`, the smallest of them.
with names as (
    select dataset, subject from staging.stg_scans
    union
    select dataset, subject from staging.stg_labels
    union
    select dataset, subject from staging.linked_subjects
    union
    select dataset, subject from staging.stg_holdouts
    union
    select dataset, subject from staging.stg_training_subjects
)
select
    names.dataset,
    names.subject,
    coalesce(linked.subject_uid, names.dataset || '/' || names.subject) as subject_uid, -- one per person, over all datasets
    coalesce(linked.n_names, 1) as n_names -- names this person is known under
from names left join staging.linked_subjects as linked using (dataset, subject)
