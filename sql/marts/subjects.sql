-- One row per name of a person in a dataset; all names of one person share `subject_uid`, the smallest of them.
with persons as (
    select
        known.dataset,
        known.subject,
        coalesce(linked.subject_uid, known.dataset || '/' || known.subject) as subject_uid,
        coalesce(linked.n_names, 1) as n_names
    from staging.names as known left join staging.linked_subjects as linked using (dataset, subject)
)
select
    persons.dataset,
    persons.subject,
    persons.subject_uid, -- one per person, over all datasets
    persons.n_names, -- names this person is known under
    coalesce(kin.split_group, persons.subject_uid) as split_group -- one per family; it stays on one side of every split
from persons left join staging.split_groups as kin using (subject_uid)
