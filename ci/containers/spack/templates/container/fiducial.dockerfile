{% extends "container/Dockerfile" %}
{% block build_stage %}
# Spack and its recipes at the pinned commits, ours from the checkout
ARG SPACK_REPOSITORY=https://github.com/spack/spack.git
ARG SPACK_PACKAGES_REPOSITORY=https://github.com/spack/spack-packages.git
ENV SPACK_ROOT=/opt/spack SPACK_PYTHON=/usr/bin/python3 BASH_ENV=/opt/spack-shell.sh
SHELL ["/bin/bash", "-c"]
{% if os_packages_build %}
RUN {{ os_packages_build.update }} && {{ os_packages_build.install }} ca-certificates git python3
{% endif %}
COPY environments/pins.yaml /opt/fiducial/environments/pins.yaml
RUN set -e; \
    pinned() { awk -v part="  $1:" '$0 == part { on = 1 } on && $1 == "commit:" { print $2; exit }' /opt/fiducial/environments/pins.yaml; }; \
    fetch() { git init -q "$1" && git -C "$1" fetch -q --depth 1 "$2" "$3" && git -C "$1" checkout -q FETCH_HEAD; }; \
    fetch /opt/spack "$SPACK_REPOSITORY" "$(pinned spack)"; \
    fetch /opt/spack-packages "$SPACK_PACKAGES_REPOSITORY" "$(pinned builtin)"; \
    mkdir -p /opt/spack/etc/spack/site; \
    printf 'repos:\n  builtin: /opt/spack-packages/repos/spack_repo/builtin\n' > /opt/spack/etc/spack/site/repos.yaml; \
    echo '. /opt/spack/share/spack/setup-env.sh' > /opt/spack-shell.sh
COPY environments/common /opt/fiducial/environments/common
COPY spack-repo /opt/fiducial/spack-repo
COPY build/image/sources /opt/fiducial/sources
{{ super() }}
{% endblock %}
{% block final_stage %}
{{ super() }}
RUN useradd --create-home --shell /bin/bash fiducial
USER fiducial
WORKDIR /home/fiducial
{% endblock %}
