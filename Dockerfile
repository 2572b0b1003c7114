# The image that operators run: `docker build --target cpu .` or `--target cuda`; ./run image does it.
# Only ward, the libraries it loads and the demo model are in the last stage: no shell, no package
# manager. Works with BuildKit, Docker's older builder and buildah: no builder-only syntax.
ARG CPU_BUILD_IMAGE=debian:12-slim
ARG CPU_RUNTIME_IMAGE=debian:12-slim
ARG CUDA_BUILD_IMAGE=nvidia/cuda:13.0.1-devel-ubuntu24.04
ARG CUDA_RUNTIME_IMAGE=nvidia/cuda:13.0.1-runtime-ubuntu24.04

# ---- cpu: build, then gather on the base that it runs on --------------------------------------

FROM ${CPU_BUILD_IMAGE} AS build-cpu
ARG DEBIAN_MIRROR=http://deb.debian.org/debian
COPY deploy/image/dependencies.sh /
RUN ["/dependencies.sh"]
COPY . /source
RUN ["/source/deploy/image/build.sh", "release"]

FROM ${CPU_RUNTIME_IMAGE} AS gather-cpu
COPY --from=build-cpu /out /
COPY deploy/image/gather.sh /
RUN ["/gather.sh"]

# ---- cuda: the same with NVIDIA's bases ---------------------------------------------------------

FROM ${CUDA_BUILD_IMAGE} AS build-cuda
ARG DEBIAN_MIRROR=http://deb.debian.org/debian
COPY deploy/image/dependencies.sh /
RUN ["/dependencies.sh"]
COPY . /source
RUN ["/source/deploy/image/build.sh", "cuda"]

FROM ${CUDA_RUNTIME_IMAGE} AS gather-cuda
COPY --from=build-cuda /out /
COPY deploy/image/gather.sh /
RUN ["/gather.sh"]

# ---- what both say --------------------------------------------------------------------------

FROM scratch AS common
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ward" \
      org.opencontainers.image.description="Inference server for many clinics, over HTTPS" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Settings: WARD_<SECTION>_<KEY>, or WARD_CONFIG names a YAML file; the health check reads the same.
ENV WARD_STATE_DIR=/var/lib/ward \
    WARD_SERVER_ADDRESS=0.0.0.0
ENTRYPOINT ["/usr/bin/ward"]
CMD ["serve"]
USER 10001:10001
EXPOSE 8443
STOPSIGNAL SIGTERM
# A large model loads for minutes: until then a failed check does not count.
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s --retries=3 \
    CMD ["/usr/bin/ward", "doctor", "--ready"]

# ---- the images -----------------------------------------------------------------------------

FROM common AS cuda
# What NVIDIA's container runtime reads, and where the driver keeps what it compiles from PTX.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUDA_CACHE_PATH=/var/lib/ward/cuda-cache
COPY --from=gather-cuda /image /
COPY --from=gather-cuda --chown=10001:10001 /state /var/lib
VOLUME ["/var/lib/ward", "/models"]

FROM common AS cpu
COPY --from=gather-cpu /image /
COPY --from=gather-cpu --chown=10001:10001 /state /var/lib
VOLUME ["/var/lib/ward", "/models"]
