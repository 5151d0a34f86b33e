-- One row per subject that has another name as well, with the uid of the person.
-- Links are followed through any number of names; the uid is the smallest name of the person.
with recursive names as (
    select dataset, subject from staging.stg_subject_links
    union
    select other_dataset, other_subject from staging.stg_subject_links
),
edges as (
    select dataset || '/' || subject as a, other_dataset || '/' || other_subject as b from staging.stg_subject_links
    union
    select other_dataset || '/' || other_subject, dataset || '/' || subject from staging.stg_subject_links
),
reached as (
    select a as name, a as other from edges
    union
    select reached.name, edges.b from reached join edges on edges.a = reached.other
)
select names.dataset, names.subject, min(reached.other) as subject_uid, count(*) as n_names
from names join reached on reached.name = names.dataset || '/' || names.subject
group by names.dataset, names.subject
