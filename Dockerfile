# The stand-alone executable in a small image. Data in /data, nobody's root:
#
#   docker build -t redstart .
#   docker run -d -p 6379:6379 -v redstart-data:/data redstart --requirepass SECRET --appendonly yes
#
# Without a password only clients in the container are answered (protected-mode); see docs/operations.md.
FROM node:22-bookworm-slim AS build
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run -s executable

FROM debian:bookworm-slim
RUN groupadd --system --gid 999 redstart \
 && useradd --system --uid 999 --gid redstart --home-dir /data --shell /usr/sbin/nologin redstart \
 && install -d -o redstart -g redstart -m 0750 /data
COPY --from=build /source/build/executable/redstart /usr/local/bin/redstart
RUN ln -s redstart /usr/local/bin/redstart-sentinel
# What bin/redstart sets: one marker is enough for the little that is on the collected heap.
ENV BUN_JSC_numberOfGCMarkers=1 BUN_JSC_smallHeapGrowthFactor=1.2
USER redstart
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
# Answers PING or asks for a password first: both serve.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/6379 && printf 'PING\\r\\n' >&3 && read -r -t 2 line <&3 && [[ $line == +PONG* || $line == -NOAUTH* ]]"]
ENTRYPOINT ["redstart"]
CMD ["--dir", "/data"]
