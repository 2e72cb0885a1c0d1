#!/bin/sh
# Starts one role of Tasker. `exec` makes it process 1 of the container, so that signals reach it.
#
#   web                         REST API and admin on $PORT; migrates first unless told otherwise
#   orchestrator [OPTION…]      the loops of the engine (manage.py run_orchestrator)
#   worker [NAMESPACE…]         runs steps (manage.py run_worker); --processes N for several
#   migrate                     brings the database up to date, then ends
#   manage COMMAND [OPTION…]    any other command of manage.py
#
#   RUN_MIGRATIONS              true or false; default true for web, false for the others
#   DEPLOYMENT_MODE             standard; migrate-only: migrate, then end; no-migrate: never migrate
#   DB_MIGRATION_RETRIES        further tries when the database does not answer (3)
#   DB_MIGRATION_RETRY_DELAY    seconds between two tries (10)
#   DB_MIGRATION_TIMEOUT        longest wait in seconds for a replica that migrates already (300)
#   WEB_PROCESSES, WEB_THREADS  of gunicorn (2, 16)
#   PORT                        of the web role (8080)
set -eu
cd "$(dirname "$0")/.."

refuse() {
    echo "entrypoint: $1" >&2
    exit 2
}

migrate_and_sync() {
    python manage.py migrate_and_sync \
        --retries "${DB_MIGRATION_RETRIES:-3}" \
        --retry-delay-seconds "${DB_MIGRATION_RETRY_DELAY:-10}" \
        --lock-wait-seconds "${DB_MIGRATION_TIMEOUT:-300}"
}

serve_web() {
    if [ "${WEB_PROCESSES:-2}" -gt 1 ]; then # the metrics of all processes are added up there
        PROMETHEUS_MULTIPROC_DIR=$(mktemp -d)
        export PROMETHEUS_MULTIPROC_DIR
    fi
    exec python -m gunicorn tasker_project.wsgi \
        --bind "${TASKER_HTTP_BIND:-0.0.0.0}:${PORT:-8080}" \
        --worker-class gthread --workers "${WEB_PROCESSES:-2}" --threads "${WEB_THREADS:-16}" \
        --timeout 35 --graceful-timeout 30 --worker-tmp-dir /dev/shm \
        --log-level warning --no-control-socket "$@"
}

role=${1:-web}
[ $# -eq 0 ] || shift
case $role in
    web) migrates=${RUN_MIGRATIONS:-true} ;;
    orchestrator | worker) migrates=${RUN_MIGRATIONS:-false} ;;
    migrate) migrates=true ;;
    manage) exec python manage.py "$@" ;;
    *) refuse "there is no role '$role'; give web, orchestrator, worker, migrate or manage" ;;
esac
case $migrates in
    true | false) ;;
    *) refuse "RUN_MIGRATIONS is '$migrates'; give true or false" ;;
esac
case $role:${DEPLOYMENT_MODE:-standard} in
    migrate:* | *:standard) ;;
    *:migrate-only) role=migrate migrates=true ;;
    *:no-migrate) migrates=false ;;
    *) refuse "DEPLOYMENT_MODE is '$DEPLOYMENT_MODE'; give standard, migrate-only or no-migrate" ;;
esac

[ "$migrates" = false ] || migrate_and_sync
case $role in
    web) serve_web "$@" ;;
    orchestrator | worker) exec python manage.py "run_$role" "$@" ;;
esac
