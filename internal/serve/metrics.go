package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are numbers for whoever runs the desk. They are of the process and of
// its pages by pattern; none is of a case, a member or a person.
type metrics struct {
	all          *prometheus.Registry
	requests     *prometheus.CounterVec
	seconds      *prometheus.HistogramVec
	tickFailures prometheus.Counter
}

func newMetrics(s *server) *metrics {
	m := &metrics{
		all:          prometheus.NewRegistry(),
		requests:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "forewarn_http_requests_total", Help: "Requests answered."}, []string{"page", "status"}),
		seconds:      prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "forewarn_http_seconds", Help: "Time to answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 13)}, []string{"page"}),
		tickFailures: prometheus.NewCounter(prometheus.CounterOpts{Name: "forewarn_tick_failures_total", Help: "Ticks whose anchors could not be kept or published; they are tried again."}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	m.all.MustRegister(m.requests, m.seconds, m.tickFailures, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("forewarn_ready", "1 while the desk is ready.", func() float64 {
			if s.unready() != "" {
				return 0
			}
			return 1
		}),
		gauge("forewarn_clock_apart_seconds", "How far the wall clock is ahead of the other clock that is furthest from it.", func() float64 { return s.clock.Apart().Seconds() }),
		gauge("forewarn_log_entries", "Durable entries.", func() float64 {
			if d := s.desk.Load(); d != nil {
				return float64(d.Log().Size())
			}
			return 0
		}),
		gauge("forewarn_anchor_overdue_seconds", "How long the next anchor has been due; 0 when it isn't.", func() float64 {
			d := s.desk.Load()
			if d == nil || d.Log().NextTick().IsZero() {
				return 0
			}
			return max(0, s.clock.Now().Sub(d.Log().NextTick()).Seconds())
		}),
	)
	return m
}

func (m *metrics) request(page string, status int, took time.Duration) {
	m.requests.WithLabelValues(page, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(page).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.all, promhttp.HandlerOpts{}))
	return mux
}
