-- One row per name of a person that is known under several, with the uid of the person: the smallest of the names.
-- Links are followed through any number of names, of datasets that are not in this home as well.
with recursive edges as (
    select source_name as a, other_name as b from staging.name_links where source_name <> other_name
    union
    select other_name, source_name from staging.name_links where source_name <> other_name
),
reached as (
    select a as source_name, a as other from edges
    union
    select reached.source_name, edges.b from reached join edges on edges.a = reached.other
),
persons as (
    select source_name, min(other) as person from reached group by source_name
),
owned as (
    select known.dataset, known.subject, coalesce(persons.person, known.source_name) as person
    from staging.names as known left join persons using (source_name)
)
select
    dataset, subject,
    min(dataset || '/' || subject) over (partition by person) as subject_uid,
    count(*) over (partition by person) as n_names
from owned
qualify n_names > 1
