-- One row per fitted head, with everything that its numbers depend on.
select
    fits.*,
    case when fits.encoder_id like 'floor:%' then 'floor' else encoders.kind end as encoder_kind -- checkpoint, random, timm or floor
from staging.stg_fits as fits left join staging.stg_encoders as encoders using (encoder_id)
