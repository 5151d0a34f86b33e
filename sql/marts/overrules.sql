-- One row per recipe and scan that a person decided about: the last decision, and what holds of the scan now.
-- An exclusion holds whatever becomes of the file; refusals that were overruled count again for another image.
with seen as (
    select
        told.recipe_id, told.scan_id,
        arg_max(told.content_hash, told.recorded_at) as content_hash -- the content at the time
    from events.scans as told join staging.stg_overrules as words using (scan_id)
    where told.recorded_at <= words.recorded_at
    group by told.recipe_id, told.scan_id
)
select
    words.scan_id, scans.recipe_id, scans.dataset, scans.subject, scans.source_path,
    words.verdict, words.reasons, words.why, words.who,
    words.recorded_at, -- when it was decided
    scans.status, -- what became of the scan
    scans.overruled,
    coalesce(seen.content_hash <> scans.content_hash, false) as changed_since -- its slices show another content than then
from staging.stg_overrules as words
join scans using (scan_id)
left join seen on seen.scan_id = scans.scan_id and seen.recipe_id = scans.recipe_id
