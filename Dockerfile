# One image for every app; which one runs is said by the command: `apps/api/src/main`.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs

FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:20.20.2-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
# What an app keeps between starts: books of the paper venue, journals, spools.
RUN mkdir -p /var/lib/moon && chown node:node /var/lib/moon
VOLUME /var/lib/moon
USER node
# `docker run IMAGE apps/agents/src/main.js`; node is its first process and hears SIGTERM.
WORKDIR /app/dist
ENTRYPOINT ["node"]
CMD ["apps/api/src/main.js"]
