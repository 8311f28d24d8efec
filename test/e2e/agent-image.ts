import { join } from 'node:path';
import { BUILD } from './images.ts';

export const REPOSITORY = 'localhost/vcml-agent';

/** The image of the agent that the tests build. */
export const AGENT_IMAGE = `${REPOSITORY}:e2e`;
/** The tag of the image with a changed kernel side. */
export const NEXT_TAG = 'next';
export const COLLECTOR_IMAGE = 'localhost/otelcol:e2e';

/** The folder of their layers. */
export const LAYERS = join(BUILD, 'e2e/images');
/** The archive of all images, which build-agent-images.ts writes. */
export const AGENT_IMAGES = join(BUILD, 'e2e/agent-images.tar');

/** The values of the chart for the images that the tests build. */
export const IMAGES = [
  `image.repository=${REPOSITORY}`,
  'image.tag=e2e',
  'collector.image.repository=localhost/otelcol',
  'collector.image.tag=e2e',
];
