import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Epoch } from '../contract.js';
import { thinned } from './thinned.js';

use([LineChart, GridComponent, LegendComponent, SVGRenderer]);

export interface Curve {
  readonly name: string;
  /** The name of the metric in the epochs. */
  readonly metric: string;
  readonly colour: string;
  readonly line: 'solid' | 'dashed';
}

export interface LearningCurve {
  readonly curves: readonly Curve[];
  readonly epochs: readonly Epoch[];
  readonly format: (value: number) => string;
}

const WIDTH = 480;
const HEIGHT = 270;
const INK = '#475569';
const RULE = '#e2e8f0';
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
/** Beyond this, dots on the line hide it. */
const DOTTED_EPOCHS_MAX = 40;

/** Metrics by epoch as one SVG element, drawn without a browser and shown without scripts. */
export function drawLearningCurve({ curves, epochs: all, format }: LearningCurve): string {
  const epochs = thinned(all, WIDTH); // more points than pixels show nothing
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: FONT, color: INK },
      grid: { left: 12, right: 16, top: 40, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      legend: {
        top: 4,
        left: 8,
        itemGap: 32,
        itemWidth: 26,
        itemHeight: 8,
        icon: 'roundRect',
        textStyle: { color: INK, fontSize: 12 },
      },
      xAxis: {
        type: 'category',
        data: epochs.map(({ epoch }) => String(epoch)),
        boundaryGap: epochs.length === 1,
        name: 'epoch',
        nameLocation: 'middle',
        nameGap: 26,
        nameTextStyle: { color: INK },
        axisTick: { show: false },
        axisLine: { lineStyle: { color: '#cbd5e1' } },
        axisLabel: { color: INK },
      },
      yAxis: {
        type: 'value',
        scale: true,
        splitLine: { lineStyle: { color: RULE } },
        axisLabel: { color: INK, formatter: format },
      },
      series: curves.map(({ name, metric, colour, line }) => ({
        name,
        type: 'line',
        data: epochs.map(({ metrics }) => metrics[metric] ?? '-'),
        symbol: 'circle',
        symbolSize: 6,
        showSymbol: epochs.length <= DOTTED_EPOCHS_MAX,
        lineStyle: { width: 2.5, color: colour, type: line },
        itemStyle: { color: colour },
      })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
