-- One row per direct statement that two names are one person's: by a dataset's own table, or by a copied scan.
with current_copies as (
    select a.dataset, a.subject, b.dataset as other_dataset, b.subject as other_subject
    from staging.stg_scan_copies as copies
    join staging.stg_scans as a on a.scan_id = copies.scan_id and a.content_hash = copies.content_hash
    join staging.stg_scans as b on b.scan_id = copies.other_scan_id and b.content_hash = copies.other_content_hash
    where copies.grade = 'copy'
)
select
    coalesce(own.source, links.dataset) || '/' || links.subject as source_name,
    coalesce(other.source, coalesce(own.kind, '') || links.other_dataset) || '/' || links.other_subject as other_name,
    'table: ' || coalesce(links.evidence, 'not said') as evidence
from staging.stg_subject_links as links
left join staging.sources as own on own.dataset = links.dataset
left join staging.sources as other on other.dataset = links.other_dataset and other.kind = coalesce(own.kind, other.kind)
where not coalesce(links.withdrawn, false)
union
select
    coalesce(own.source, copies.dataset) || '/' || copies.subject,
    coalesce(other.source, copies.other_dataset) || '/' || copies.other_subject,
    'a copied scan'
from current_copies as copies
left join staging.sources as own on own.dataset = copies.dataset
left join staging.sources as other on other.dataset = copies.other_dataset
