import { join } from 'node:path';
import { BUILD } from './images.ts';

export const REPOSITORY = 'localhost/vcml-agent';

/** The agent's image that is made here. */
export const AGENT_IMAGE = `${REPOSITORY}:e2e`;
/** The same with a changed kernel side. */
export const NEXT_TAG = 'next';
export const COLLECTOR_IMAGE = 'localhost/otelcol:e2e';

/** The folders of their layers. */
export const LAYERS = join(BUILD, 'e2e/images');
/** All of them in one archive, written by build-agent-images.ts. */
export const AGENT_IMAGES = join(BUILD, 'e2e/agent-images.tar');

/** Values of the chart for the images that are made here. */
export const IMAGES = [
  `image.repository=${REPOSITORY}`,
  'image.tag=e2e',
  'collector.image.repository=localhost/otelcol',
  'collector.image.tag=e2e',
];
