FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/mailrun

# Apart from the source, so that a changed line does not fetch every dependency again.
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes --requirement requirements.txt --requirement requirements-build.txt

COPY . .
RUN pip install --no-deps --no-build-isolation --no-index . \
 && groupadd --system --gid 10001 mailrun \
 && useradd --system --uid 10001 --gid 10001 --create-home --home-dir /data mailrun \
 && install --directory --owner=mailrun --group=mailrun --mode=0700 /data/sandbox

# Without the source in the working directory what runs is what was installed.
WORKDIR /data
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
CMD ["mailrun", "--help"]
