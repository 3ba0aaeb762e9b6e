# The demo in a container:
#
#   docker build --tag lah10 .
#   docker run --rm --volume "$PWD/results:/lah10/results" lah10
#
# The packages are installed when the image is built, so that a run needs no network.
FROM --platform=linux/amd64 python:3.12-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /lah10
COPY . .
# The venv's own time stamps decide what `make` installs again: here, nothing.
RUN make .venv/.installed

CMD ["make", "demo"]
