from app.db import migrations
from app.db.base import Base
from app.features import modules

modules("models")  # importing them fills Base.metadata
migrations.run(Base.metadata)
