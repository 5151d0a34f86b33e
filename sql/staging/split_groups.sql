-- One row per person with relatives in this home: the group that stays on one side of every split.
-- Relatives share the label `family` within a dataset, and families that share a person are one.
with recursive members as (
    select distinct
        coalesce(linked.subject_uid, said.dataset || '/' || said.subject) as subject_uid,
        said.dataset || '#' || coalesce(said.value, said.number::varchar) as family
    from staging.stg_labels as said left join staging.linked_subjects as linked using (dataset, subject)
    where said.label = 'family' and (said.value is not null or said.number is not null)
),
kin as (
    select a.subject_uid, b.subject_uid as relative from members as a join members as b using (family)
),
reached as (
    select subject_uid, relative from kin
    union
    select reached.subject_uid, kin.relative from reached join kin on kin.subject_uid = reached.relative
)
select subject_uid, min(relative) as split_group from reached group by subject_uid having count(*) > 1
