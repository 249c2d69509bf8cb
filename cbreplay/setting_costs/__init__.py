"""What each setting would have cost on many recorded runs, as far as these tell.

The words of this package:

- A log *tells* what a setting does on a run where that cell of the sweep is exact.
- A *group* is the runs that count as one (seeds of one setting). It tells where all
  of its runs do.
- A patience is *enough* on a run if neither it nor a longer one loses more than the
  tolerance; the smallest such is the run's *sufficient patience*.
- The *scale* of a run is the size of its best value; what a setting loses is a share of
  it. The *score* is that share plus cost_weight x the share of the plan it trains.
- A *study* is everything that an answer is made of (`study`), its *panel* the runs
  that count and what they are judged by, *priced* what every patience costs on them.
"""
