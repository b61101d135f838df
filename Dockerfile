# The app in a container. CPU:  docker run -p 127.0.0.1:8501:8501 -v amad:/workspace amad
# One NVIDIA GPU and more:      docker run --gpus all -p 127.0.0.1:8501:8501 -v amad:/workspace amad
FROM python:3.12-slim-bookworm

# The CUDA libraries come with the torch wheel; the host brings only its driver. Nobody signs in: who reaches the app is
# decided by how its port is published, to this machine alone in the lines above.
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    AMAD_WORKSPACE=/workspace \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    AMAD_INSECURE_NO_AUTH=1 \
    STREAMLIT_SERVER_PORT=8501

RUN useradd --create-home --uid 1000 amad && install -d -o amad -g amad /workspace
WORKDIR /opt/amad

# Dependencies first, so that a change in our code does not install torch again.
# Every file is compared with its hash, but for the CPU build of torch, which is taken with --build-arg DEVICE=cpu.
ARG DEVICE=cuda
COPY requirements.txt ./
COPY locks ./locks
RUN if [ "$DEVICE" = cpu ]; then \
        pip install --no-deps "$(grep ^torch== requirements.txt)" --index-url https://download.pytorch.org/whl/cpu; \
    fi && pip install --no-deps --require-hashes -r "locks/$DEVICE.txt"
COPY pyproject.toml README.md LICENSE ./
COPY amad ./amad
COPY app ./app
COPY assets ./assets
RUN pip install --no-deps -e .

USER 1000
VOLUME /workspace
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=40s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/amad/health', timeout=4)"]
CMD ["streamlit", "run", "app/main.py"]
