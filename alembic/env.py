from app.db.base import Base
from app.db.migrations import environment
from app.features import modules

modules("models")  # importing them fills Base.metadata
environment.run(Base.metadata)
