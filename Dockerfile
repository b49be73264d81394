# Clipspect in a container: docker build -t clipspect . && docker run -p 7860:7860 clipspect
# With a GPU: docker run --gpus all -p 7860:7860 clipspect. Weights and embeddings are kept in /data: mount a volume.
FROM python:3.11-slim

# what NumPy's and PyTorch's wheels expect of the system, and nothing more
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

# Hugging Face runs containers as user 1000
RUN useradd --create-home --uid 1000 clipspect && mkdir /data && chown clipspect /data
USER clipspect
WORKDIR /home/clipspect/app

COPY --chown=clipspect requirements.txt .
RUN python -m venv ../venv && ../venv/bin/pip install --no-cache-dir -r requirements.txt
COPY --chown=clipspect app.py LICENSE NOTICE ./
COPY --chown=clipspect app app
COPY --chown=clipspect probes probes
COPY --chown=clipspect assets assets

ENV CLIPSPECT_HOST=0.0.0.0 CLIPSPECT_PORT=7860 CLIPSPECT_CACHE=/data/embeddings HF_HOME=/data/huggingface \
    PYTHONUNBUFFERED=1
EXPOSE 7860
VOLUME /data
HEALTHCHECK --start-period=60s CMD ["../venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=5)"]
CMD ["../venv/bin/python", "app.py"]
